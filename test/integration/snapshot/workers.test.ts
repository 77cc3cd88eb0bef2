import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { endpointFromUrl } from '../../../lambda/adapters/endpoint.ts'
import { openClient } from '../../../lambda/adapters/postgres.ts'
import { silentLog } from '../../../lambda/log.ts'
import { parseManifest, type SnapshotManifest } from '../../../lambda/snapshot/manifest.ts'
import { restoreSnapshot } from '../../../lambda/snapshot/restore.ts'
import { copySpeed } from '../../../lambda/snapshot/estimate.ts'
import { createSnapshot, listSnapshots } from '../../../lambda/snapshot/snapshot.ts'
import type { SnapshotStore } from '../../../lambda/snapshot/store.ts'
import { createDatabase, databaseAt, type TestDatabase } from '../../support/database.ts'
import { startTlsServer } from '../../support/tls-server.ts'
import { contentOf, contextFor, createRole, directoryStore, dropLater, interruptedStore, until } from './support.ts'

async function manifestOf(uri: string): Promise<SnapshotManifest> {
  return parseManifest(await readFile(join(fileURLToPath(uri), 'manifest.json'), 'utf8'))
}

/** Restores beside the database, and compares with it. */
async function expectSame(database: TestDatabase, uri: string, context: ReturnType<typeof contextFor>): Promise<void> {
  const into = dropLater(`${database.name}_copy`)
  await restoreSnapshot(context, { uri, into })
  expect(await contentOf(databaseAt(into))).toEqual(await contentOf(database))
}

test('cuts a table whose few pages point to many values out of line, and restores it', async () => {
  const database = await createDatabase()
  await database.rows(`
    CREATE TABLE wide (id int PRIMARY KEY, plain text, value text);
    ALTER TABLE wide ALTER plain SET STORAGE PLAIN, ALTER value SET STORAGE EXTERNAL;
    INSERT INTO wide SELECT n, repeat('p', 3000), repeat('v', 4500000) FROM generate_series(1, 12) n;
    DELETE FROM wide WHERE id = 3`)
  const context = contextFor(database, await directoryStore())

  const { uri } = await createSnapshot(context, { runId: 'run' })

  const [table] = (await manifestOf(uri)).tables
  expect(table?.parts.map(({ key }) => key)).toEqual([
    'data/0001-public.wide.1.copy.zst',
    'data/0002-public.wide.2.copy.zst',
  ])
  expect(table?.rows).toBe(11)
  await expectSame(database, uri, context)
})

test('packs small tables of every kind, and leaves empty ones out', async () => {
  const database = await createDatabase()
  await database.rows(`
    CREATE TABLE a (id int, "odd "" name" text);
    INSERT INTO a VALUES (1, E'\\\\.'), (2, E'\\n\\\\.\\n'), (3, NULL), (4, '');
    CREATE TABLE "none" ();
    INSERT INTO "none" DEFAULT VALUES; INSERT INTO "none" DEFAULT VALUES;
    CREATE TABLE empty (id int);
    CREATE TABLE parted (id int) PARTITION BY LIST (id);
    CREATE TABLE one PARTITION OF parted FOR VALUES IN (1);
    INSERT INTO parted VALUES (1), (1)`)
  const context = contextFor(database, await directoryStore())

  const { uri } = await createSnapshot(context, { runId: 'run' })

  const { tables, objects } = await manifestOf(uri)
  expect(tables.map(({ name, rows, parts }) => [name, rows, parts.length])).toEqual([
    ['a', 4, 1],
    ['empty', 0, 0],
    ['none', 2, 1],
    ['one', 2, 1],
  ])
  expect(objects.filter(({ key }) => key.startsWith('data/')).map(({ key }) => key)).toEqual([
    'data/0001-small-tables.sql.zst',
  ])
  await expectSame(database, uri, context)
})

test('copies, without waiting for them, tables that somebody waits to change', async () => {
  const database = await createDatabase()
  await database.rows(`
    CREATE TABLE busy (id int) PARTITION BY LIST (id);
    CREATE TABLE busy_1 PARTITION OF busy FOR VALUES IN (1);
    INSERT INTO busy VALUES (1)`)
  const changing = await database.connect()
  let change: Promise<unknown> = Promise.resolve()
  const store = interruptedStore(await directoryStore(), { write: 'sequences.sql' }, async () => {
    change = changing.execute('ALTER TABLE busy ADD COLUMN late int')
    await until(database, `SELECT FROM pg_locks WHERE NOT granted AND relation = 'busy'::regclass`)
  })

  const snapshot = await createSnapshot(contextFor(database, store), { runId: 'run' })

  expect(snapshot.rows).toBe(1)
  await change
})

test('goes on alone, with a warning, when the server gives no further connection', async () => {
  const database = await createDatabase()
  await database.rows(`CREATE TABLE t AS SELECT n FROM generate_series(1, 10) n`)
  const as = await createRole(`${database.name}_role`, 'CONNECTION LIMIT 1')
  await database.rows(`GRANT SELECT ON t TO ${as.user}`)
  onTestFinished(async () => void (await database.rows(`DROP OWNED BY ${as.user}`)))
  const warnings: string[] = []
  const log = { ...silentLog, warn: (message: string) => void warnings.push(message) }

  const snapshot = await createSnapshot(contextFor(database, await directoryStore(), { as, log }), { runId: 'run' })

  expect(snapshot.rows).toBe(10)
  expect(warnings).toEqual(['The server gave no further connection: the snapshot goes on with fewer workers'])
})

test('a snapshot that is deleted while they are listed hides none of the others, and no speed', async () => {
  const database = await createDatabase()
  const store = await directoryStore()
  const { uri } = await createSnapshot(contextFor(database, store), { runId: 'run' })
  const deleted = `${database.name}/20990101T000000Z-deleted/manifest.json`
  const deleting: SnapshotStore = { ...store, list: async (prefix) => [...(await store.list(prefix)), deleted] }

  expect((await listSnapshots({ store: deleting })).map((snapshot) => snapshot.uri)).toEqual([uri])
  expect(await copySpeed({ store: deleting, workers: 1 }, database.name)).toMatchObject({ basis: 'assumed' })
})

test('two snapshots at the same time do not disturb each other', async () => {
  const database = await createDatabase()
  await database.rows(`CREATE TABLE t AS SELECT n FROM generate_series(1, 1000) n`)
  const context = contextFor(database, await directoryStore())

  await Promise.all(['one', 'two'].map((runId) => createSnapshot(context, { runId })))

  expect((await listSnapshots(context)).map(({ rows }) => rows)).toEqual([1000, 1000])
})

test('reads rows through TLS, also those that are longer than a record', async () => {
  const { url, authority } = await startTlsServer()
  const endpoint = { ...endpointFromUrl(url), host: 'localhost', tls: { verify: true, authorities: [authority] } }
  const options = { endpoint: async () => endpoint, applicationName: 'test', budgetMs: 0 }
  const openDatabase = (database = 'postgres') => openClient({ ...options, database })
  const client = await openDatabase()
  await client.query(`
    CREATE TABLE long AS SELECT n, repeat(md5(n::text), n) AS value FROM generate_series(1, 1000) n;
    CREATE TABLE short AS SELECT n FROM generate_series(1, 1000) n`)
  const digestOf = `SELECT count(*), md5(string_agg(value, '' ORDER BY n)) FROM long`
  const before = (await client.query(digestOf)).rows
  await client.end()
  const store = await directoryStore()
  const context = { openClient: openDatabase, store, log: silentLog, now: () => new Date() }

  const { uri, rows } = await createSnapshot(context, { runId: 'run' })
  await restoreSnapshot(context, { uri, into: 'copy' })

  expect(rows).toBe(2000)
  const copy = await openDatabase('copy')
  expect((await copy.query(digestOf)).rows).toEqual(before)
  await copy.end()
})
