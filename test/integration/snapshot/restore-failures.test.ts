import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { createDirectoryStore } from '../../../lambda/adapters/directory-store.ts'
import { restoreSnapshot } from '../../../lambda/snapshot/restore.ts'
import { createSnapshot, type SnapshotContext } from '../../../lambda/snapshot/snapshot.ts'
import type { SnapshotStore } from '../../../lambda/snapshot/store.ts'
import { createDatabase, onServer, type TestDatabase } from '../../support/database.ts'
import {
  contextFor,
  cutSessions,
  databasesOf,
  interruptedStore,
  reportOfFailure,
  temporaryDirectory,
} from './support.ts'

interface Taken {
  readonly database: TestDatabase
  readonly store: SnapshotStore
  readonly context: SnapshotContext
  readonly uri: string
  /** The path of one of the snapshot's files. */
  readonly file: (key: string) => string
}

async function takenSnapshot(): Promise<Taken> {
  const database = await createDatabase()
  await database.rows(`
    CREATE TABLE item (id int PRIMARY KEY, filler text);
    INSERT INTO item SELECT n, md5(n::text) FROM generate_series(1, 5000) n`)
  const store = createDirectoryStore(await temporaryDirectory())
  const context = contextFor(database, store)
  const { uri } = await createSnapshot(context, { runId: 'run' })
  return { database, store, context, uri, file: (key) => join(fileURLToPath(uri), key) }
}

const DATA = 'data/0001-small-tables.sql.zst'

/** The old database serves under its name with all its rows, and no other is left. */
async function expectAsBefore({ database }: Taken): Promise<void> {
  expect(await databasesOf(database)).toEqual([database.name])
  expect(await database.rows('SELECT count(*)::int AS n FROM item')).toEqual([{ n: 5000 }])
}

async function flipByte(path: string, offset = -20): Promise<void> {
  const bytes = await readFile(path)
  const at = (bytes.length + offset) % bytes.length
  bytes[at] = (bytes[at] ?? 0) ^ 1
  await writeFile(path, bytes)
}

test.each([DATA, 'pre-data.sql', 'post-data.sql', 'manifest.json'])(
  'fails when a byte of %s has changed',
  async (key) => {
    const taken = await takenSnapshot()
    await flipByte(taken.file(key))

    const report = await reportOfFailure(restoreSnapshot(taken.context, { uri: taken.uri }))

    expect(report.code).toBe('RESTORE_FAILED')
    expect(report.message).toMatch(new RegExp(`${key}.*: the snapshot is damaged`))
    await expectAsBefore(taken)
  },
)

test('fails when an object was replaced by another of the same size', async () => {
  const taken = await takenSnapshot()
  const sql = await readFile(taken.file('pre-data.sql'), 'utf8')
  await writeFile(taken.file('pre-data.sql'), sql.replace('filler text', 'filler name'))

  const report = await reportOfFailure(restoreSnapshot(taken.context, { uri: taken.uri }))

  expect(report.message).toContain('object pre-data.sql does not match its checksum')
  await expectAsBefore(taken)
})

test.each([DATA, 'sequences.sql'])('fails at once when %s is missing', async (key) => {
  const taken = await takenSnapshot()
  await rm(taken.file(key))

  const report = await reportOfFailure(restoreSnapshot(taken.context, { uri: taken.uri }))

  expect(report).toMatchObject({ code: 'RESTORE_FAILED', state: 'The database has not been touched.' })
  expect(report.message).toContain(`object ${key} is missing from the snapshot`)
  await expectAsBefore(taken)
})

test('fails when there is no manifest', async () => {
  const taken = await takenSnapshot()
  await rm(taken.file('manifest.json'))

  const report = await reportOfFailure(restoreSnapshot(taken.context, { uri: taken.uri }))

  expect(report.code).toBe('RESTORE_FAILED')
  expect(report.message).toContain(`there is no manifest.json at ${taken.uri}`)
  await expectAsBefore(taken)
})

/** Cuts all sessions instead of sending a statement that begins like this. */
function cutAt(taken: Taken, beginning: string): SnapshotContext {
  return {
    ...taken.context,
    openClient: async (name) => {
      const client = await taken.context.openClient(name)
      const query = client.query.bind(client) as (...args: readonly unknown[]) => Promise<unknown>
      const sabotaged = async (...args: readonly unknown[]): Promise<unknown> => {
        if (String(args[0]).startsWith(beginning)) await cutSessions(taken.database)
        return query(...args)
      }
      // A stream, such as COPY, is no text and must be given as it is.
      return Object.assign(client, {
        query: (...args: readonly unknown[]) => (typeof args[0] === 'string' ? sabotaged(...args) : query(...args)),
      })
    },
  }
}

test.each([
  ['while rows are copied', (taken: Taken) => cutWhenRead(taken, DATA)],
  ['while the schema is finished', (taken: Taken) => cutAt(taken, 'ALTER TABLE ONLY public.item\n    ADD CONSTRAINT')],
  ['while statistics are gathered', (taken: Taken) => cutAt(taken, 'ANALYZE')],
])('fails when the connection is cut %s', async (_when, sabotage) => {
  const taken = await takenSnapshot()

  const report = await reportOfFailure(restoreSnapshot(sabotage(taken), { uri: taken.uri }))

  expect(report).toMatchObject({
    code: 'RESTORE_FAILED',
    state: `Database "${taken.database.name}" is as it was, and the half-made copy has been dropped.`,
  })
  await expectAsBefore(taken)
})

function cutWhenRead(taken: Taken, read: string): SnapshotContext {
  return contextFor(
    taken.database,
    interruptedStore(taken.store, { read }, () => cutSessions(taken.database)),
  )
}

test('drops the half-made copy when it is aborted', async () => {
  const taken = await takenSnapshot()
  const controller = new AbortController()
  const store = interruptedStore(taken.store, { read: DATA }, async () => controller.abort(new Error('Ctrl-C')))
  const context = contextFor(taken.database, store, { signal: controller.signal })

  const report = await reportOfFailure(restoreSnapshot(context, { uri: taken.uri }))

  expect(report.message).toBe(`Restoring ${taken.uri} was cancelled: Ctrl-C.`)
  await expectAsBefore(taken)
})

test('keeps the old database in place when the second rename fails', async () => {
  const taken = await takenSnapshot()
  const { database } = taken
  // The prepared copy disappears at the last moment, when the old database has already been renamed.
  const context = contextFor(database, taken.store, { now: () => new Date('2026-11-21T08:30:00Z') })
  const staging = `${database.name}_restoring_20261121083000`
  let sessions = 0
  const sabotaged: SnapshotContext = {
    ...context,
    openClient: async (name) => {
      // The second session in a maintenance database is the usher's: everything is ready for the renames.
      if (name === 'postgres') sessions += 1
      if (name === 'postgres' && sessions === 2) await onServer(`ALTER DATABASE ${staging} RENAME TO ${staging}_away`)
      return context.openClient(name)
    },
  }

  const report = await reportOfFailure(restoreSnapshot(sabotaged, { uri: taken.uri }))

  expect(report.message).toContain('does not exist')
  await expectAsBefore(taken)
})

test('refuses a uri outside the store', async () => {
  const taken = await takenSnapshot()
  const report = await reportOfFailure(
    restoreSnapshot(taken.context, { uri: 's3://elsewhere/shop/20260101T000000Z-run' }),
  )
  expect(report.code).toBe('CONFIG_INVALID')
  expect(report.message).toContain(taken.store.uri)
})
