import { randomUUID } from 'node:crypto'
import { expect, onTestFinished, test } from 'vitest'
import { createDatabase, databaseAt, onServer } from '../../support/database.ts'
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
