import { execFile } from 'node:child_process'
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { createDirectoryStore } from '../../../lambda/adapters/directory-store.ts'
import { parseManifest } from '../../../lambda/snapshot/manifest.ts'
import { restoreSnapshot } from '../../../lambda/snapshot/restore.ts'
import { createSnapshot, type SnapshotContext } from '../../../lambda/snapshot/snapshot.ts'
import { verifySnapshot } from '../../../lambda/snapshot/verify.ts'
import { createDatabase, databaseAt, onServer, type TestDatabase } from '../../support/database.ts'
import { everyTypeSql } from './every-type.ts'
import { RICH_SCHEMA } from './rich-schema.ts'
import { contentOf, contextFor, databasesOf, dropLater, reportOfFailure, temporaryDirectory } from './support.ts'

/** Large enough to be cut in two. */
const LARGE = `
  CREATE TABLE large (id int PRIMARY KEY, filler text NOT NULL);
  INSERT INTO large SELECT n, repeat(md5(n::text), 58) FROM generate_series(1, 30000) n;
  CREATE TABLE small (id int PRIMARY KEY, large_id int REFERENCES large (id));
  INSERT INTO small SELECT n, n FROM generate_series(1, 1000) n;
  CREATE INDEX large_hash ON large USING hash (filler);
  CREATE INDEX large_end ON large (right(filler, 10));
  ALTER TABLE large CLUSTER ON large_end`

interface Taken {
  readonly database: TestDatabase
  readonly context: SnapshotContext
  readonly uri: string
  readonly directory: string
}

async function takenSnapshot(schema: string): Promise<Taken> {
  const database = await createDatabase()
  await database.rows(schema)
  const context = contextFor(database, createDirectoryStore(await temporaryDirectory()), { workers: 3 })
  const { uri } = await createSnapshot(context, { runId: 'run' })
  return { database, context, uri, directory: fileURLToPath(uri) }
}

test('restores parts and packs in parallel, and refuses them when one is damaged or missing', async () => {
  const { database, context, uri, directory } = await takenSnapshot(LARGE)
  const data = await readdir(join(directory, 'data'))
  expect(data).toEqual([
    expect.stringMatching(/large\.1\.copy/),
    expect.stringMatching(/large\.2\.copy/),
    expect.any(String),
  ])
  const before = await contentOf(database)
  const into = dropLater(`${database.name}_copy`)

  const restored = await restoreSnapshot(context, { uri, into })

  expect(restored).toMatchObject({ rows: 31_000, warnings: [] })
  expect(await contentOf(databaseAt(into))).toEqual(before)
  expect(await verifySnapshot(context, uri)).toMatchObject({ status: 'intact', rows: 31_000 })

  for (const key of data) {
    const path = join(directory, 'data', key)
    const bytes = await readFile(path)
    const middle = Math.floor(bytes.length / 2)
    await writeFile(path, bytes.with(middle, (bytes[middle] ?? 0) ^ 1))
    const damaged = await reportOfFailure(restoreSnapshot(context, { uri }))
    expect(damaged.message).toContain(`data/${key}`)
    expect(damaged.state).toContain(`"${database.name}" is as it was`)
    await writeFile(path, bytes)
  }
  await rm(join(directory, 'data', data[1] ?? ''))
  const missing = await reportOfFailure(restoreSnapshot(context, { uri }))
  expect(missing.message).toContain(`object data/${data[1]} is missing`)
  expect(await databasesOf(database)).toEqual([database.name, into])
})

const run = promisify(execFile)
const hasTools = await Promise.all([run('psql', ['--version']), run('zstd', ['--version'])]).then(
  () => true,
  () => false,
)

test.skipIf(!hasTools)('is restored by hand, by the commands in its manifest as they are', async () => {
  const { database, uri, directory } = await takenSnapshot(RICH_SCHEMA + everyTypeSql(18) + LARGE)
  const before = await contentOf(database)
  // Somebody has fetched the snapshot, and has nothing else.
  const folder = join(await temporaryDirectory(), basename(directory))
  await cp(directory, folder, { recursive: true })
  const manifest = parseManifest(await readFile(join(folder, 'manifest.json'), 'utf8'))
  expect(uri).toContain(basename(folder))
  onTestFinished(() => onServer('DROP DATABASE IF EXISTS restored WITH (FORCE)'))

  const { host, port, user, password } = await database.endpoint()
  const environment = { PGHOST: host, PGPORT: String(port), PGUSER: user, PGPASSWORD: password, PGSSLMODE: 'disable' }
  await run('bash', ['-e', '-o', 'pipefail', '-c', manifest.restore.join('\n')], {
    cwd: folder,
    env: { ...process.env, ...environment },
  })

  expect(await contentOf(databaseAt('restored'))).toEqual(before)
})
