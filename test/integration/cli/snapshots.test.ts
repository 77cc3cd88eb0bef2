import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { createDatabase, databaseAt, onServer } from '../../support/database.ts'
import { startS3 } from '../../support/s3.ts'
import { writeFiles } from '../../support/source-files.ts'
import { runCli, SECOND, writeFailingSet, writeGoodSet } from './run-cli.ts'

test('a snapshot is taken, listed and restored: into a new database, and in the place of the old one', async () => {
  const database = await createDatabase()
  const store = await writeFiles({})
  const [url, migrations] = [
    ['--database-url', database.url],
    ['--migrations', await writeGoodSet()],
  ]
  await runCli(['up', ...url, ...migrations])

  const snapshot = await runCli(['snapshot', '--snapshots', store, '--json', ...url])
  expect(snapshot.exitCode).toBe(0)
  const { uri } = snapshot.document()
  expect(snapshot.document()).toMatchObject({
    uri: expect.stringMatching(new RegExp(`^file://.*/${database.name}/`)),
    bytes: expect.any(Number),
    tables: expect.any(Number),
    rows: expect.any(Number),
  })
  const listed = await runCli(['snapshots', '--snapshots', store, '--json', ...url])
  expect(listed.document()).toMatchObject({ snapshots: [{ uri, database: database.name }] })
  expect((await runCli(['snapshots', '--snapshots', store, ...url])).stdout).toContain(String(uri))

  // Neither a database nor a server is needed.
  expect(await runCli(['verify', String(uri)])).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('is intact: '),
  })
  const tables = await runCli(['restore', String(uri), '--table', 'public.notes', '--into-schema', 'side', ...url])
  expect(tables.stdout).toContain('public.notes  side.notes, 1 row')

  const copy = `copy_${randomUUID().slice(0, 8)}`
  onTestFinished(() => onServer(`DROP DATABASE IF EXISTS ${copy} WITH (FORCE)`))
  const into = await runCli(['restore', String(uri), '--into', copy, '--json', ...url])
  expect(into.document()).toMatchObject({ database: copy, tables: snapshot.document().tables, replaced: null })
  expect(await databaseAt(copy).rows('SELECT text FROM notes')).toEqual([{ text: 'hello' }])

  await runCli(['down', '--to', 'base', ...url, ...migrations])
  const restored = (await runCli(['restore', String(uri), '--json', ...url])).document()
  onTestFinished(() => onServer(`DROP DATABASE IF EXISTS ${String(restored.replaced)} WITH (FORCE)`))
  expect(restored).toMatchObject({ database: database.name, rows: snapshot.document().rows })
  expect(await database.rows('SELECT text FROM notes')).toEqual([{ text: 'hello' }])

  await rm(fileURLToPath(`${String(uri)}/sequences.sql`))
  const damaged = await runCli(['verify', String(uri), '--json'])
  expect(damaged.exitCode).toBe(1)
  expect(damaged.document()).toMatchObject({ status: 'damaged', problems: [{ object: 'sequences.sql' }] })
})

test('up takes a snapshot first where a place is given, unless told not to', async () => {
  const database = await createDatabase()
  const store = await writeFiles({})
  const options = ['--database-url', database.url, '--snapshots', store, '--json']

  const failed = await runCli(['up', ...options, '--migrations', await writeFailingSet()])
  expect(failed.document()).toMatchObject({ status: 'failed', snapshot: expect.stringContaining(database.name) })
  const without = await runCli(['up', '--no-snapshot', ...options, '--migrations', await writeGoodSet()])
  expect(without.document()).toMatchObject({ status: 'succeeded', current: SECOND, snapshot: null })
})

test('a snapshot without a place says what to give, and a restore of none what was expected', async () => {
  const { url } = await createDatabase()

  const snapshot = await runCli(['snapshot', '--database-url', url, '--json'])
  expect(snapshot.exitCode).toBe(1)
  expect(snapshot.document()).toMatchObject({
    error: { code: 'CONFIG_INVALID', remedy: expect.stringContaining('--snapshots') },
  })
  const restore = await runCli(['restore', 'nonsense', '--database-url', url, '--json'])
  expect(restore.exitCode).toBe(1)
  expect(restore.document()).toMatchObject({ error: { code: 'CONFIG_INVALID' } })
})

function awsEnvironment(endpoint: string): Readonly<Record<string, string>> {
  return {
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'S3RVER',
    AWS_SECRET_ACCESS_KEY: 'S3RVER',
  }
}

test('snapshots go to a bucket and come back from it', async () => {
  const database = await createDatabase()
  const s3 = await startS3()
  onTestFinished(() => s3.stop())
  await s3.createBucket('shop-snapshots')
  const environment = awsEnvironment(s3.endpoint)
  const options = ['--database-url', database.url, '--snapshots', 's3://shop-snapshots/lockstep', '--json']
  const up = await runCli(['up', ...options, '--migrations', await writeGoodSet()], { environment })
  expect(up.document()).toMatchObject({
    status: 'succeeded',
    snapshot: expect.stringMatching(new RegExp(`^s3://shop-snapshots/lockstep/${database.name}/`)),
  })
  const { uri } = (await runCli(['snapshot', ...options], { environment })).document()
  const copy = `copy_${randomUUID().slice(0, 8)}`
  onTestFinished(() => onServer(`DROP DATABASE IF EXISTS ${copy} WITH (FORCE)`))
  const restored = await runCli(['restore', String(uri), '--into', copy, ...options], { environment })
  expect(restored.document()).toMatchObject({ database: copy })
  expect(await databaseAt(copy).rows('SELECT text FROM notes')).toEqual([{ text: 'hello' }])
})

test('a bucket that is not there fails before anything is applied', async () => {
  const database = await createDatabase()
  const s3 = await startS3()
  onTestFinished(() => s3.stop())
  const environment = awsEnvironment(s3.endpoint)
  const options = ['--database-url', database.url, '--snapshots', 's3://nowhere/lockstep', '--json']
  const up = await runCli(['up', ...options, '--migrations', await writeGoodSet()], { environment })
  expect(up.exitCode).toBe(1)
  expect(up.document()).toMatchObject({
    status: 'failed',
    applied: [],
    rolledBack: true,
    error: { code: 'SNAPSHOT_FAILED' },
  })
  expect(await database.rows("SELECT to_regclass('notes') AS notes")).toEqual([{ notes: null }])
})
