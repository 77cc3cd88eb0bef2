import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { restoreSnapshot } from '../../../lambda/snapshot/restore.ts'
import { createSnapshot, type SnapshotContext } from '../../../lambda/snapshot/snapshot.ts'
import { createDatabase, databaseAt, onServer, type TestDatabase } from '../../support/database.ts'
import {
  contentOf,
  contextFor,
  createRole,
  databasesOf,
  directoryStore,
  dropLater,
  reportOfFailure,
} from './support.ts'

const NOW = new Date('2026-11-21T08:30:00Z')

async function databaseWithRow(): Promise<TestDatabase> {
  const database = await createDatabase()
  await database.rows('CREATE TABLE t AS SELECT 1 AS n')
  return database
}

const rowsOf = (database: TestDatabase): Promise<unknown> => database.rows('SELECT n FROM t ORDER BY n')

test('replaces the database and keeps the old one, with what was written since, under a dated name', async () => {
  const database = await databaseWithRow()
  const context = contextFor(database, await directoryStore(), { now: () => NOW })
  const { uri } = await createSnapshot(context, { runId: 'run' })
  await database.rows('INSERT INTO t VALUES (2)')

  const restored = await restoreSnapshot(context, { uri })

  const kept = dropLater(restored.replaced)
  expect(kept).toBe(`${database.name}_replaced_20261121083000`)
  expect(restored).toMatchObject({ database: database.name, tables: 1, rows: 1 })
  expect(await rowsOf(database)).toEqual([{ n: 1 }])
  expect(await rowsOf(databaseAt(kept))).toEqual([{ n: 1 }, { n: 2 }])
  expect(await databasesOf(database)).toEqual([database.name, kept])
})

test('fills tables whose checks look for rows of others in an order that the checks let pass', async () => {
  const database = await createDatabase()
  await database.rows(`
    CREATE TABLE c AS SELECT n FROM generate_series(1, 9) n;
    CREATE FUNCTION in_c(int) RETURNS bool LANGUAGE sql AS 'SELECT EXISTS (SELECT FROM public.c WHERE n = $1)';
    CREATE TABLE b (n int CHECK (in_c(n)));
    CREATE FUNCTION in_b(int) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN
      IF NOT EXISTS (SELECT FROM public.b WHERE n = $1) THEN RAISE EXCEPTION 'no % in b', $1; END IF; RETURN true; END $$;
    CREATE DOMAIN of_b AS int CHECK (in_b(VALUE));
    CREATE TABLE a (n of_b, more text);
    INSERT INTO b SELECT n FROM c; INSERT INTO a SELECT n, 'x' FROM b;
    CREATE TABLE d AS SELECT 1 AS n`)
  const context = contextFor(database, await directoryStore())
  const { uri } = await createSnapshot(context, { runId: 'run' })
  const before = await contentOf(database)

  dropLater((await restoreSnapshot(context, { uri })).replaced)

  expect(await contentOf(database)).toEqual(before)
})

test('fails when a check refuses rows for good', async () => {
  const database = await createDatabase()
  await database.rows(`
    CREATE FUNCTION is_fine(int) RETURNS bool LANGUAGE sql AS 'SELECT true';
    CREATE TABLE a (n int CHECK (is_fine(n))); INSERT INTO a VALUES (1); CREATE TABLE b AS SELECT 1 AS n;
    CREATE OR REPLACE FUNCTION is_fine(int) RETURNS bool LANGUAGE sql AS 'SELECT false'`)
  const context = contextFor(database, await directoryStore())
  const { uri } = await createSnapshot(context, { runId: 'run' })

  const { message } = await reportOfFailure(restoreSnapshot(context, { uri }))

  expect(message).toContain('cannot fill table public.a: new row for relation "a" violates check constraint')
  expect(await databasesOf(database)).toEqual([database.name])
})

test('keeps every replaced database when it runs twice in a second', async () => {
  const database = await databaseWithRow()
  const context = contextFor(database, await directoryStore(), { now: () => NOW })
  const { uri } = await createSnapshot(context, { runId: 'run' })

  const first = dropLater((await restoreSnapshot(context, { uri })).replaced)
  const second = dropLater((await restoreSnapshot(context, { uri })).replaced)

  expect(await databasesOf(database)).toEqual([database.name, first, second])
})

async function answersOnce(context: SnapshotContext): Promise<boolean> {
  try {
    const client = await context.openClient()
    await client.query('SELECT pg_sleep(0.01)').finally(() => void client.end().catch(() => {}))
    return true
  } catch {
    return false
  }
}

test('gives way at once to one that has begun in the same second', async () => {
  const database = await databaseWithRow()
  const context = contextFor(database, await directoryStore(), { now: () => NOW })
  const { uri } = await createSnapshot(context, { runId: 'run' })
  const other = await databaseAt('postgres').connect()
  await other.query(`SELECT pg_advisory_lock(1280004946, hashtext('${database.name}_restoring_20261121083000'))`)

  const report = await reportOfFailure(restoreSnapshot(context, { uri }))

  expect(report.message).toContain(`another restore is making "${database.name}_restoring_20261121083000"`)
  expect(await databasesOf(database)).toEqual([database.name])
})

test('shows out sessions that connect again and again', async () => {
  const database = await databaseWithRow()
  const context = contextFor(database, await directoryStore())
  const { uri } = await createSnapshot(context, { runId: 'run' })
  const stop = new AbortController()
  let answers = 0
  const pool = Array.from({ length: 8 }, async () => {
    while (!stop.signal.aborted) if (await answersOnce(context)) answers += 1
  })

  const restored = await restoreSnapshot(context, { uri })
  const answersBefore = answers
  await expect.poll(() => answers).toBeGreaterThan(answersBefore)
  stop.abort()
  await Promise.all(pool)

  dropLater(restored.replaced)
  expect(restored.database).toBe(database.name)
  expect(await rowsOf(database)).toEqual([{ n: 1 }])
})

test('restores beside the original with "into", from a plain path', async () => {
  const database = await databaseWithRow()
  const context = contextFor(database, await directoryStore())
  const { uri } = await createSnapshot(context, { runId: 'run' })
  await database.rows('INSERT INTO t VALUES (2)')
  const into = dropLater(`${database.name} "Copy"`.replaceAll('"', ''))

  const restored = await restoreSnapshot(context, { uri: fileURLToPath(uri), into })

  expect(restored).toMatchObject({ database: into, replaced: null, rows: 1 })
  expect(await databasesOf(database)).toEqual([database.name, into])
  expect(await rowsOf(databaseAt(into))).toEqual([{ n: 1 }])
  expect(await rowsOf(database)).toHaveLength(2)
})

test('never replaces a database with "into"', async () => {
  const database = await databaseWithRow()
  const context = contextFor(database, await directoryStore())
  const { uri } = await createSnapshot(context, { runId: 'run' })

  const report = await reportOfFailure(restoreSnapshot(context, { uri, into: database.name }))

  expect(report).toMatchObject({ code: 'RESTORE_FAILED', state: 'The database has not been touched.' })
  expect(report.message).toContain(`Database "${database.name}" exists already`)
  expect(await databasesOf(database)).toEqual([database.name])
})

test.each(['', 'x'.repeat(64)])('refuses "%s" as a name', async (into) => {
  const database = await databaseWithRow()
  const context = contextFor(database, await directoryStore())
  const { uri } = await createSnapshot(context, { runId: 'run' })
  expect(await reportOfFailure(restoreSnapshot(context, { uri, into }))).toMatchObject({ code: 'CONFIG_INVALID' })
})

test('does not replace a database that the configuration does not name', async () => {
  const database = await databaseWithRow()
  const other = await createDatabase()
  const store = await directoryStore()
  const { uri } = await createSnapshot(contextFor(database, store), { runId: 'run' })

  const report = await reportOfFailure(restoreSnapshot(contextFor(other, store), { uri }))

  expect(report.code).toBe('CONFIG_INVALID')
  expect(report.message).toContain(`is a snapshot of "${database.name}", but the configuration names "${other.name}"`)
})

test('brings a dropped database back under its name', async () => {
  const database = await databaseWithRow()
  const context = contextFor(database, await directoryStore())
  const { uri } = await createSnapshot(context, { runId: 'run' })
  await onServer(`DROP DATABASE ${database.name}`)

  const restored = await restoreSnapshot(context, { uri })

  expect(restored).toMatchObject({ database: database.name, replaced: null })
  expect(await rowsOf(database)).toEqual([{ n: 1 }])
})

test('carries a database whose name is as long as a name can be, and odd', async () => {
  const database = databaseAt(encodeURIComponent(`Ü ${'x'.repeat(60)}`))
  const name = decodeURIComponent(database.name)
  const { endpoint: encoded } = database
  const named = { ...database, endpoint: async () => ({ ...(await encoded()), database: name }) }
  dropLater(name)
  await onServer(`CREATE DATABASE "${name}" TEMPLATE template0`)
  await database.rows('CREATE TABLE t AS SELECT 1 AS n')
  const context = contextFor(named, await directoryStore(), { now: () => NOW })

  const { uri } = await createSnapshot(context, { runId: 'run' })
  const { replaced } = await restoreSnapshot(context, { uri })

  const kept = dropLater(replaced)
  expect(Buffer.byteLength(kept)).toBe(63)
  expect(kept).toMatch(/^Ü x+_replaced_20261121083000$/)
  expect(uri).toMatch(/\/~c3~9c~20x+\/20261121T083000Z-run$/)
})

test('restores owner, encoding, locale, comment, permissions, limit and settings of the database', async () => {
  const database = await databaseWithRow()
  const name = database.name
  const [owner, reader] = [`${name}_owner`, `${name}_reader`]
  await onServer(`CREATE ROLE ${owner}; CREATE ROLE ${reader}`)
  await onServer(`DROP DATABASE ${name}`)
  await onServer(
    `CREATE DATABASE ${name} TEMPLATE template0 OWNER ${owner} ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'`,
  )
  await database.rows(`CREATE TABLE t (n text); INSERT INTO t VALUES ('Grüße')`)
  await onServer(`COMMENT ON DATABASE ${name} IS 'it''s the \\ shop'`)
  for (const sql of [
    `ALTER DATABASE ${name} CONNECTION LIMIT 77`,
    `ALTER DATABASE ${name} SET search_path TO "$user", "Odd, one", public`,
    `ALTER DATABASE ${name} SET default_transaction_read_only TO on`,
    `ALTER DATABASE ${name} SET custom.setting TO 'a=b, ''c'''`,
    `ALTER ROLE ${reader} IN DATABASE ${name} SET statement_timeout TO '5s'`,
    `REVOKE ALL ON DATABASE ${name} FROM PUBLIC`,
    `GRANT CONNECT ON DATABASE ${name} TO ${reader} WITH GRANT OPTION`,
    `GRANT TEMPORARY ON DATABASE ${name} TO PUBLIC`,
  ]) {
    await onServer(sql)
  }
  const context = contextFor(database, await directoryStore())
  const before = await propertiesOf(database, name)
  const { uri } = await createSnapshot(context, { runId: 'run' })

  const kept = dropLater((await restoreSnapshot(context, { uri })).replaced)
  onTestFinished(async () => {
    await onServer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
    await onServer(`DROP DATABASE IF EXISTS "${kept}" WITH (FORCE)`)
    await onServer(`DROP ROLE ${owner}; DROP ROLE ${reader}`)
  })

  expect(before).toHaveLength(1)
  expect(await propertiesOf(database, name)).toEqual(before)
  expect(await propertiesOf(database, kept)).toEqual([
    {
      ...before[0],
      comment: expect.stringMatching(
        `^"${name}" until 20.* ${uri} .*: DROP DATABASE "${kept}"; Its comment was: it's the `,
      ),
    },
  ])
  expect(await database.rows('SELECT n FROM t')).toEqual([{ n: 'Grüße' }])
})

test('restores for a role that is no superuser what other roles own', async () => {
  const name = `test_${randomUUID().replaceAll('-', '').slice(0, 16)}`
  const master = await createRole(`${name}_master`, 'CREATEDB')
  const owner = await createRole(`${name}_owner`)
  await onServer(`GRANT ${owner.user} TO ${master.user}`)
  await onServer(`CREATE DATABASE ${name} TEMPLATE template0 OWNER ${master.user}`)
  dropLater(name)
  const database = databaseAt(name)
  await database.rows(`
    GRANT CREATE ON SCHEMA public TO ${owner.user};
    CREATE TABLE t AS SELECT 1 AS n; ALTER TABLE t OWNER TO ${owner.user};
    CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; ALTER FUNCTION f() OWNER TO ${owner.user}`)
  const context = contextFor(database, await directoryStore(), { as: master })
  const before = await contentOf(database)

  const { uri } = await createSnapshot(context, { runId: 'run' })
  const restored = await restoreSnapshot(context, { uri })

  dropLater(restored.replaced)
  expect(await contentOf(database)).toEqual(before)
  expect(before.schema).toContain(`ALTER TABLE public.t OWNER TO ${owner.user}`)
})

async function propertiesOf(database: TestDatabase, name: string) {
  return database.rows(`
    SELECT pg_get_userbyid(datdba) AS owner, pg_encoding_to_char(encoding) AS encoding, datcollate, datctype,
           datlocprovider, datlocale, datconnlimit, shobj_description(d.oid, 'pg_database') AS comment,
           ARRAY(SELECT acl::text FROM unnest(datacl) acl ORDER BY acl::text) AS permissions,
           ARRAY(SELECT coalesce(r.rolname, '') || ':' || array_to_string(s.setconfig, '|')
                   FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole
                  WHERE s.setdatabase = d.oid ORDER BY 1) AS settings
      FROM pg_database d WHERE datname = '${name}'`)
}
