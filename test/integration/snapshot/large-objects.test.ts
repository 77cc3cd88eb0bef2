import { randomUUID } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import type { Endpoint } from '../../../lambda/adapters/postgres.ts'
import { restoreSnapshot } from '../../../lambda/snapshot/restore.ts'
import { createSnapshot } from '../../../lambda/snapshot/snapshot.ts'
import { createDatabase, databaseAt, onServer, type TestDatabase } from '../../support/database.ts'
import { contextFor, createRole, directoryStore, dropLater, interruptedStore, reportOfFailure } from './support.ts'

const CONTENTS = `
  SELECT m.oid::text AS oid, length(lo_get(m.oid)) AS bytes, md5(lo_get(m.oid)) AS hash,
         pg_get_userbyid(m.lomowner)::text AS owner, m.lomacl::text AS permissions,
         obj_description(m.oid, 'pg_largeobject') AS comment
    FROM pg_largeobject_metadata m ORDER BY m.oid`

/** Made before the database: so it is dropped after it, and owns nothing any more. */
const roleName = (): string => `test_role_${randomUUID().replaceAll('-', '')}`

/** Pseudo-random bytes, as an SQL expression. */
const noise = (bytes: number): string =>
  `(SELECT string_agg(sha256(n::text::bytea), '' ORDER BY n) FROM generate_series(1, ${bytes / 32}) n)`

test('carries content, owner, permissions and comment', async () => {
  const { user } = await createRole(roleName())
  const database = await createDatabase()
  await database.rows(`
    SELECT lo_from_bytea(100, ${noise(3_200_000)});
    SELECT lo_create(101);
    SELECT lo_put(102, 5000000, 'end') FROM (SELECT lo_create(102)) AS made;
    SELECT lo_from_bytea(103, decode(repeat('00', 1048576), 'hex'));
    SELECT lo_truncate64(lo_open(104, 131072), 2500000) FROM (SELECT lo_create(104)) AS made;
    SELECT lo_from_bytea(4294967295, convert_to(E'tab\\t line\\n \\\\. quote''', 'UTF8'));
    SELECT lo_from_bytea(1000 + n, sha256(n::text::bytea)) FROM generate_series(1, 1200) n;
    COMMENT ON LARGE OBJECT 100 IS E'two lines;\\nSELECT ''\\\\'';\\r\\n Grüße';
    GRANT SELECT ON LARGE OBJECT 100 TO PUBLIC;
    GRANT SELECT, UPDATE ON LARGE OBJECT 101 TO ${user} WITH GRANT OPTION;
    SET ROLE ${user}; GRANT SELECT ON LARGE OBJECT 101 TO pg_monitor; RESET ROLE;
    ALTER LARGE OBJECT 102 OWNER TO ${user};
    REVOKE ALL ON LARGE OBJECT 103 FROM postgres`)
  const context = contextFor(database, await directoryStore())
  const before = await database.rows(CONTENTS)

  const { uri } = await createSnapshot(context, { runId: 'run' })
  dropLater((await restoreSnapshot(context, { uri })).replaced)

  expect(before).toHaveLength(1206)
  expect(await database.rows(CONTENTS)).toEqual(before)
})

test('leaves holes in a large object as they are', async () => {
  const database = await createDatabase()
  await database.rows(`SELECT lo_create(1); SELECT lo_put(1, 30 * 1024 * 1024, 'end')`)
  const context = contextFor(database, await directoryStore())

  const { uri, bytes } = await createSnapshot(context, { runId: 'run' })
  dropLater((await restoreSnapshot(context, { uri })).replaced)

  const [row] = await database.rows(
    `SELECT lo_lseek64(lo_open(1, 262144), 0, 2)::int AS bytes, (SELECT count(*)::int FROM pg_largeobject) AS pages`,
  )
  expect(row).toEqual({ bytes: 30 * 1024 * 1024 + 3, pages: 1 })
  expect(bytes).toBeLessThan(5000)
})

test('belongs to the same instant as the rows', async () => {
  const database = await createDatabase()
  await database.rows(`
    SELECT lo_from_bytea(1, 'before'); SELECT lo_from_bytea(2, 'before')`)
  const store = interruptedStore(await directoryStore(), { write: 'large-objects.sql.zst' }, () =>
    database.rows(`SELECT lo_put(1, 0, 'after, and longer'), lo_unlink(2), lo_from_bytea(3, 'after')`),
  )
  const context = contextFor(database, store)

  const { uri } = await createSnapshot(context, { runId: 'run' })
  dropLater((await restoreSnapshot(context, { uri })).replaced)

  expect(
    await database.rows(`SELECT oid::int, convert_from(lo_get(oid), 'UTF8') AS content
                                FROM pg_largeobject_metadata ORDER BY oid`),
  ).toEqual([
    { oid: 1, content: 'before' },
    { oid: 2, content: 'before' },
  ])
})

async function ownDatabase(): Promise<{
  readonly database: TestDatabase
  readonly as: Pick<Endpoint, 'user' | 'password'>
}> {
  const as = await createRole(roleName(), 'CREATEDB')
  const database = await createDatabase()
  await onServer(`ALTER DATABASE ${database.name} OWNER TO ${as.user}`)
  return { database, as }
}

test('carries for a role that is no superuser what other roles own', async () => {
  const owner = await createRole(roleName())
  const { database, as } = await ownDatabase()
  await onServer(`GRANT ${owner.user} TO ${as.user}`)
  await database.rows(`
    SELECT lo_from_bytea(1, 'content');
    COMMENT ON LARGE OBJECT 1 IS 'a comment';
    GRANT SELECT ON LARGE OBJECT 1 TO PUBLIC;
    ALTER LARGE OBJECT 1 OWNER TO ${owner.user}`)
  const before = await database.rows(CONTENTS)
  const context = contextFor(database, await directoryStore(), { as })

  const { uri } = await createSnapshot(context, { runId: 'run' })
  dropLater((await restoreSnapshot(context, { uri })).replaced)

  expect(before).toMatchObject([{ owner: owner.user, comment: 'a comment' }])
  expect(await database.rows(CONTENTS)).toEqual(before)
})

test('names the large object that the role may not read, before anything is written', async () => {
  const { database, as } = await ownDatabase()
  await database.rows(`SELECT lo_from_bytea(123, 'secret content')`)
  const store = await directoryStore()

  const report = await reportOfFailure(createSnapshot(contextFor(database, store, { as }), { runId: 'run' }))

  expect(report).toMatchObject({ code: 'SNAPSHOT_FAILED', sqlState: '42501' })
  expect(report.message).toContain('permission denied for large object 123')
  expect(report.remedy).toContain('GRANT SELECT ON LARGE OBJECT')
  expect(await store.list('')).toEqual([])
})

const damages: Readonly<Record<string, (object: Buffer) => Buffer>> = {
  'a byte has changed': (object) => Buffer.concat([object.subarray(0, -1), Buffer.from([(object.at(-1) ?? 0) ^ 1])]),
  'it is cut off': (object) => object.subarray(0, -20),
}

test.each(Object.entries(damages))('refuses an object of large objects when %s', async (_what, damage) => {
  const database = await createDatabase()
  await database.rows(`SELECT lo_from_bytea(1, ${noise(64_000)})`)
  const context = contextFor(database, await directoryStore())
  const { uri } = await createSnapshot(context, { runId: 'run' })
  const file = join(fileURLToPath(uri), 'data', '0001-large-objects.sql.zst')
  await writeFile(file, damage(await readFile(file)))

  const report = await reportOfFailure(restoreSnapshot(context, { uri }))

  expect(report.code).toBe('RESTORE_FAILED')
  expect(report.message).toContain('data/0001-large-objects.sql.zst')
  expect(report.message).toContain('the snapshot is damaged')
})

test('names the statement that the server refuses, without its content', async () => {
  const { user } = await createRole(roleName())
  const { database, as } = await ownDatabase()
  await database.rows(`
    SELECT lo_from_bytea(n::oid, 'secret content') FROM generate_series(1, 50) n;
    ALTER LARGE OBJECT 30 OWNER TO ${user}`)
  const store = await directoryStore()
  const { uri } = await createSnapshot(contextFor(database, store), { runId: 'run' })

  const into = `${database.name}_copy`
  const report = await reportOfFailure(restoreSnapshot(contextFor(database, store, { as }), { uri, into }))

  expect(report).toMatchObject({ code: 'RESTORE_FAILED', sqlState: '42501' })
  expect(report.message).toContain('at "ALTER LARGE OBJECT')
  expect(report.message).not.toContain('secret')
})

test('belongs to whoever restores when the role does not exist any more and missing roles are skipped', async () => {
  const gone = await createRole(roleName())
  const reader = await createRole(roleName())
  const database = await createDatabase()
  await database.rows(`
    SELECT lo_from_bytea(1, 'of nobody'); SELECT lo_from_bytea(2, 'read by nobody');
    GRANT SELECT ON LARGE OBJECT 1 TO ${reader.user};
    ALTER LARGE OBJECT 1 OWNER TO ${gone.user};
    GRANT SELECT ON LARGE OBJECT 2 TO ${gone.user} WITH GRANT OPTION;
    SET ROLE ${gone.user}; GRANT SELECT ON LARGE OBJECT 2 TO ${reader.user}; RESET ROLE`)
  const context = contextFor(database, await directoryStore())
  const { uri } = await createSnapshot(context, { runId: 'run' })
  await onServer(`ALTER ROLE ${gone.user} RENAME TO ${gone.user}_not`)
  onTestFinished(() => onServer(`ALTER ROLE ${gone.user}_not RENAME TO ${gone.user}`))
  const into = dropLater(`${database.name}_copy`)

  const report = await reportOfFailure(restoreSnapshot(context, { uri, into }))
  const { warnings } = await restoreSnapshot(context, { uri, into, missingRoles: 'skip' })

  expect(report.message).toContain(`role "${gone.user}" does not exist on this server`)
  expect(warnings).toEqual([
    `"${gone.user}" does not exist, so its large objects belong to "postgres", and its permissions on others were left out.`,
  ])
  expect(await databaseAt(into).rows(CONTENTS)).toMatchObject([
    { owner: 'postgres', permissions: `{postgres=rw/postgres,${reader.user}=r/postgres}` },
    { owner: 'postgres', permissions: `{postgres=rw/postgres,${reader.user}=r/postgres}` },
  ])
})
