import { readdir } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { expect, onTestFinished, test } from 'vitest'
import { createDirectoryStore } from '../../../lambda/adapters/directory-store.ts'
import { createSnapshot, listSnapshots } from '../../../lambda/snapshot/snapshot.ts'
import type { SnapshotStore } from '../../../lambda/snapshot/store.ts'
import { createDatabase, type TestDatabase } from '../../support/database.ts'
import {
  contextFor,
  createRole,
  cutSessions,
  directoryStore,
  interruptedStore,
  reportOfFailure,
  temporaryDirectory,
  until,
} from './support.ts'

const UNTOUCHED = 'The database has not been touched, and nothing of the snapshot was kept.'

async function databaseWithRows(): Promise<TestDatabase> {
  const database = await createDatabase()
  await database.rows(`
    CREATE TABLE big AS SELECT n, repeat(md5(n::text), 20) AS filler FROM generate_series(1, 20000) n;
    CREATE TABLE small AS SELECT 1 AS n`)
  return database
}

/** A role with grants in the database. */
async function grantee(database: TestDatabase, grants: string): Promise<{ user: string; password: string }> {
  const role = await createRole(`${database.name}_role`)
  await database.rows(`${grants} TO ${role.user}`)
  onTestFinished(async () => void (await database.rows(`DROP OWNED BY ${role.user}`)))
  return role
}

test('leaves nothing behind when the store fails in the middle', async () => {
  const database = await databaseWithRows()
  const directory = await temporaryDirectory()
  const store = interruptedStore(createDirectoryStore(directory), { write: 'small-tables.sql.zst' }, () =>
    Promise.reject(new Error('the disk is full')),
  )

  const report = await reportOfFailure(createSnapshot(contextFor(database, store), { runId: 'run' }))

  expect(report).toMatchObject({ code: 'SNAPSHOT_FAILED', state: UNTOUCHED })
  expect(report.message).toBe(
    `The snapshot of database "${database.name}" failed: cannot write data/0002-small-tables.sql.zst: the disk is full.`,
  )
  expect(await readdir(directory, { recursive: true })).toEqual([])
})

test('says why when the store will not even take an object', async () => {
  const database = await databaseWithRows()
  const store = await directoryStore()
  const unwilling = {
    ...store,
    write: async (key: string, body: Readable) => {
      if (!key.endsWith('.copy.zst')) return store.write(key, body)
      body.destroy()
      throw new Error('there is no such place')
    },
  }

  const report = await reportOfFailure(createSnapshot(contextFor(database, unwilling), { runId: 'run' }))

  expect(report).toMatchObject({ code: 'SNAPSHOT_FAILED', state: UNTOUCHED })
  expect(report.message).toContain('there is no such place')
})

test('says why it failed, also when it is aborted while it tidies up', async () => {
  const database = await databaseWithRows()
  const abort = new AbortController()
  const store = await directoryStore()
  const failing: SnapshotStore = {
    ...interruptedStore(store, { write: 'post-data.sql' }, () => Promise.reject(new Error('the disk is full'))),
    remove: async (keys) => {
      abort.abort(new Error('the time is over'))
      return store.remove(keys)
    },
  }

  const report = await reportOfFailure(
    createSnapshot(contextFor(database, failing, { signal: abort.signal }), { runId: 'run' }),
  )

  expect(report).toMatchObject({ state: UNTOUCHED, message: expect.stringContaining('the disk is full') as string })
})

test('leaves nothing behind when the store fails on the manifest', async () => {
  const database = await databaseWithRows()
  const directory = await temporaryDirectory()
  const store = createDirectoryStore(directory)
  const failing = {
    ...store,
    write: async (key: string, body: Readable) => {
      const written = await store.write(key, body)
      if (key.endsWith('manifest.json')) throw new Error('the answer was lost')
      return written
    },
  }

  const report = await reportOfFailure(createSnapshot(contextFor(database, failing), { runId: 'run' }))

  expect(report.message).toContain('the answer was lost')
  expect(await readdir(directory, { recursive: true })).toEqual([])
})

test('is not listed while it has no manifest', async () => {
  const store = await directoryStore()
  await store.write('shop/20260101T000000Z-run/pre-data.sql', Readable.from([Buffer.from('SELECT 1')]))
  expect(await listSnapshots({ store })).toEqual([])
})

test('fails when the connection is cut while rows are copied', async () => {
  const database = await databaseWithRows()
  const directory = await temporaryDirectory()
  let cut = 0
  const store = interruptedStore(createDirectoryStore(directory), { write: 'big.copy.zst' }, async () => {
    cut = await cutSessions(database, `query LIKE '%"big"%'`)
  })

  const report = await reportOfFailure(createSnapshot(contextFor(database, store), { runId: 'run' }))

  expect(cut).toBe(1)
  expect(report).toMatchObject({ code: 'SNAPSHOT_FAILED', state: UNTOUCHED })
  expect(report.message).toContain('cannot copy table public.big')
  expect(await readdir(directory, { recursive: true })).toEqual([])
})

// Nothing but pg_dump reads views.
async function withBlockedPgDump(
  work: (database: TestDatabase, blocked: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const database = await createDatabase()
  await database.rows('CREATE VIEW viewed AS SELECT 1 AS n')
  const blocker = await database.connect()
  await blocker.execute('BEGIN; LOCK TABLE viewed IN ACCESS EXCLUSIVE MODE')
  await work(database, () =>
    until(database, `SELECT FROM pg_locks WHERE NOT granted AND relation = 'viewed'::regclass`),
  )
}

test('fails when the connection is cut while pg_dump reads the schema', async () => {
  await withBlockedPgDump(async (database, blocked) => {
    const failing = reportOfFailure(createSnapshot(contextFor(database, await directoryStore()), { runId: 'run' }))
    await blocked()
    await cutSessions(database, `wait_event_type = 'Lock'`)

    expect(await failing).toMatchObject({ code: 'SNAPSHOT_FAILED', state: UNTOUCHED })
    expect((await failing).message).toContain('the connection was lost while pg_dump read the schema')
  })
})

test('ends when it is aborted while pg_dump waits', async () => {
  await withBlockedPgDump(async (database, blocked) => {
    const controller = new AbortController()
    const context = contextFor(database, await directoryStore(), { signal: controller.signal })
    const failing = reportOfFailure(createSnapshot(context, { runId: 'run' }))
    await blocked()
    controller.abort(new Error('the time is up'))

    expect(await failing).toMatchObject({ code: 'SNAPSHOT_FAILED', state: UNTOUCHED })
    expect((await failing).message).toBe(`The snapshot of database "${database.name}" was cancelled: the time is up.`)
  })
})

test('ends when it is aborted while rows are copied, and leaves no session behind', async () => {
  const database = await databaseWithRows()
  const directory = await temporaryDirectory()
  const controller = new AbortController()
  const store = interruptedStore(createDirectoryStore(directory), { write: 'big.copy.zst' }, async () =>
    controller.abort(new Error('the time is up')),
  )
  const context = contextFor(database, store, { signal: controller.signal })

  const report = await reportOfFailure(createSnapshot(context, { runId: 'run' }))

  expect(report.message).toContain('was cancelled: the time is up.')
  expect(await readdir(directory, { recursive: true })).toEqual([])
  await expect
    .poll(() =>
      database.rows(
        `SELECT FROM pg_stat_activity WHERE datname = '${database.name}' AND application_name = 'lockstep-snapshot'`,
      ),
    )
    .toEqual([])
})

test('names the tables that the role may not read, and no password', async () => {
  const database = await databaseWithRows()
  const as = await grantee(database, 'GRANT SELECT ON small')

  const report = await reportOfFailure(
    createSnapshot(contextFor(database, await directoryStore(), { as }), { runId: 'run' }),
  )

  expect(report).toMatchObject({ code: 'SNAPSHOT_FAILED', state: UNTOUCHED })
  expect(report.message).toContain('no permission to read table public.big.')
  expect(report.remedy).toContain('GRANT')
  expect(JSON.stringify(report)).not.toContain('canary')
})

test('names the table whose rows a policy hides from the role', async () => {
  const database = await databaseWithRows()
  const as = await grantee(database, 'GRANT SELECT ON ALL TABLES IN SCHEMA public')
  await database.rows('ALTER TABLE small ENABLE ROW LEVEL SECURITY')

  const report = await reportOfFailure(
    createSnapshot(contextFor(database, await directoryStore(), { as }), { runId: 'run' }),
  )

  expect(report).toMatchObject({ code: 'SNAPSHOT_FAILED', sqlState: '42501' })
  expect(report.message).toContain('cannot copy table public.small')
  expect(report.remedy).toContain('BYPASSRLS')
})

test("carries an extension's configuration rows and leaves its own out", async () => {
  const database = await createDatabase()
  await database.rows(`
    CREATE EXTENSION hstore;
    CREATE TABLE settings AS SELECT n, n > 5 AS own FROM generate_series(1, 10) n;
    CREATE TABLE internal AS SELECT 1 AS n;
    ALTER EXTENSION hstore ADD TABLE settings;
    ALTER EXTENSION hstore ADD TABLE internal;
    UPDATE pg_extension SET extconfig = ARRAY['settings'::regclass::oid], extcondition = ARRAY['WHERE own']
     WHERE extname = 'hstore'`)

  const snapshot = await createSnapshot(contextFor(database, await directoryStore()), { runId: 'run' })

  expect(snapshot).toMatchObject({ tables: 1, rows: 5 })
})
