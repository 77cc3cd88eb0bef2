import { expect, onTestFinished, test } from 'vitest'
import { restoreSnapshot } from '../../../lambda/snapshot/restore.ts'
import { createSnapshot, type SnapshotContext } from '../../../lambda/snapshot/snapshot.ts'
import { createDatabase, databaseAt, onServer, type TestDatabase } from '../../support/database.ts'
import { contextFor, databasesOf, directoryStore, dropLater, reportOfFailure } from './support.ts'

interface Taken {
  readonly database: TestDatabase
  readonly context: SnapshotContext
  readonly uri: string
  readonly owner: string
  readonly reader: string
  /** The one that still exists. */
  readonly auditor: string
}

/** A snapshot of a database that gave much to two roles, which are gone since. */
async function takenSnapshot(): Promise<Taken> {
  const kept: string[] = []
  // Registered first, and so done last: what is granted to it is gone by then.
  onTestFinished(() => onServer(kept.map((role) => `DROP ROLE ${role}`).join(';')))
  const database = await createDatabase()
  const { name } = database
  const [owner, reader, auditor] = [`${name}_Owner`, `${name}_reader`, `${name}_auditor`]
  await onServer(`CREATE ROLE "${owner}"; CREATE ROLE ${reader}; CREATE ROLE ${auditor}`)
  kept.push(auditor)
  await database.rows(`
    CREATE TABLE item (id int PRIMARY KEY, filler text DEFAULT 'ü');
    COMMENT ON TABLE item IS 'ümläüte before the rest';
    INSERT INTO item VALUES (1, 'x');
    ALTER TABLE item ENABLE ROW LEVEL SECURITY;
    CREATE POLICY listed ON item FOR SELECT TO ${reader}, ${auditor} USING (filler <> 'ü');
    CREATE POLICY alone ON item FOR UPDATE TO ${reader} USING (filler <> 'secret');
    GRANT SELECT ON item TO ${reader} WITH GRANT OPTION; GRANT SELECT ON item TO ${auditor};
    ALTER DEFAULT PRIVILEGES FOR ROLE "${owner}" GRANT SELECT ON TABLES TO ${auditor};
    SET ROLE ${reader}; GRANT SELECT ON item TO ${auditor}; RESET ROLE;
    ALTER TABLE item OWNER TO "${owner}"`)
  await onServer(`ALTER ROLE ${reader} IN DATABASE ${name} SET statement_timeout TO '5s'`)
  await onServer(`GRANT CONNECT ON DATABASE ${name} TO ${reader}`)
  await onServer(`ALTER DATABASE ${name} OWNER TO "${owner}"`)
  const context = contextFor(database, await directoryStore())
  const { uri } = await createSnapshot(context, { runId: 'run' })
  await database.rows(`REASSIGN OWNED BY "${owner}" TO CURRENT_USER`)
  await database.rows(`DROP OWNED BY "${owner}"; DROP OWNED BY ${reader}`)
  await onServer(`DROP ROLE "${owner}"; DROP ROLE ${reader}`)
  return { database, context, uri, owner, reader, auditor }
}

test('names every role that does not exist before anything is made', async () => {
  const { database, context, uri, owner, reader } = await takenSnapshot()

  const report = await reportOfFailure(restoreSnapshot(context, { uri }))

  expect(report).toMatchObject({ code: 'RESTORE_FAILED', state: 'The database has not been touched.' })
  expect(report.message).toContain(`the roles "${owner}", "${reader}" do not exist on this server`)
  expect(report.remedy).toContain('--missing-roles skip')
  expect(await databasesOf(database)).toEqual([database.name])
})

test('leaves out with "skip" what belongs to roles that do not exist, and tells all of it', async () => {
  const { database, context, uri, owner, reader, auditor } = await takenSnapshot()
  const into = dropLater(`${database.name}_copy`)

  const { warnings } = await restoreSnapshot(context, { uri, into, missingRoles: 'skip' })

  const copy = databaseAt(into)
  const me = (await copy.rows('SELECT current_user AS me'))[0]?.['me']
  expect(await copy.rows(`SELECT tableowner AS owner FROM pg_tables WHERE tablename = 'item'`)).toEqual([{ owner: me }])
  expect(await copy.rows(`SELECT policyname, roles::text FROM pg_policies`)).toEqual([
    { policyname: 'listed', roles: `{${auditor}}` },
  ])
  expect(await copy.rows(`SELECT has_table_privilege('${auditor}', 'item', 'SELECT') AS may`)).toEqual([{ may: true }])
  expect(warnings).toEqual(
    expect.arrayContaining([
      `"${owner}" does not exist, so this was left out: ALTER TABLE public.item OWNER TO "${owner}".`,
      `"${reader}" does not exist, so this was left out: GRANT SELECT ON TABLE public.item TO ${reader} WITH GRANT OPTION.`,
      `"${reader}" does not exist, so this was left out: CREATE POLICY alone ON public.item FOR UPDATE TO ${reader} USING.`,
      `"${reader}" does not exist, and so was left out of: CREATE POLICY listed ON public.item FOR SELECT TO ${reader}, ${auditor} USING.`,
      `"${owner}" does not exist, so the database belongs to "${String(me)}".`,
      `"${reader}" does not exist, so this was left out: its setting statement_timeout in the database.`,
      `"${reader}" does not exist, so this was left out: CONNECT on the database.`,
    ]),
  )
  expect(warnings.join()).not.toContain('secret')
})
