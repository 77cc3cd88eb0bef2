import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { listIncomplete } from '../../../lambda/snapshot/incomplete.ts'
import { restoreSnapshot } from '../../../lambda/snapshot/restore.ts'
import { createSnapshot, type SnapshotContext } from '../../../lambda/snapshot/snapshot.ts'
import type { SnapshotStore } from '../../../lambda/snapshot/store.ts'
import { createDatabase, onServer, type TestDatabase } from '../../support/database.ts'
import { contextFor, databasesOf, directoryStore, dropLater, interruptedStore, reportOfFailure } from './support.ts'

interface Taken {
  readonly database: TestDatabase
  readonly store: SnapshotStore
  readonly context: SnapshotContext
  readonly uri: string
}

async function takenSnapshot(): Promise<Taken> {
  const database = await createDatabase()
  await database.rows('CREATE TABLE t AS SELECT 1 AS n')
  const store = await directoryStore()
  const context = contextFor(database, store)
  const { uri } = await createSnapshot(context, { runId: 'run' })
  return { database, store, context, uri }
}

/**
 * A restore that dies while it reads the rows, as if its process was killed: its sessions end, and nobody cleans up
 * because nothing can be reached any more.
 */
async function killRestore({ database, store, uri }: Taken): Promise<string> {
  const clients: { end: () => Promise<void> }[] = []
  let killed = false
  const context = contextFor(
    database,
    interruptedStore(store, { read: '-small-tables.sql.zst' }, async () => {
      killed = true
      await Promise.all(clients.map(async (client) => client.end()))
    }),
  )
  const dying: SnapshotContext = {
    ...context,
    openClient: async (...args) => {
      if (killed) throw new Error('the process is dead')
      const client = await context.openClient(...args)
      clients.push(client)
      return client
    },
  }
  const { state } = await reportOfFailure(restoreSnapshot(dying, { uri }))
  expect(state).toContain('may remain and can be dropped')
  const left = (await databasesOf(database)).find((name) => name.includes('_restoring_'))
  return left ?? 'none'
}

test('the next restore drops the half-made copy of one that was killed', async () => {
  const taken = await takenSnapshot()
  const left = dropLater(await killRestore(taken))
  expect(left).toMatch(/_restoring_\d{14}$/)

  const restored = await restoreSnapshot(taken.context, { uri: taken.uri })

  expect(await databasesOf(taken.database)).toEqual([taken.database.name, dropLater(restored.replaced)])
})

test('the next snapshot drops it as well', async () => {
  const taken = await takenSnapshot()
  dropLater(await killRestore(taken))

  await createSnapshot(taken.context, { runId: 'next' })

  expect(await databasesOf(taken.database)).toEqual([taken.database.name])
})

test('leaves alone a copy that a restore is at work on, and a database that only looks like one', async () => {
  const taken = await takenSnapshot()
  const { database } = taken
  const lookalike = dropLater(`${database.name}_restoring_20260101000000`)
  await onServer(`CREATE DATABASE ${lookalike} TEMPLATE template0`)
  const seen: (readonly string[])[] = []
  const store = interruptedStore(taken.store, { read: '-small-tables.sql.zst' }, async () => {
    await createSnapshot(taken.context, { runId: 'meanwhile' })
    seen.push(await databasesOf(database))
  })

  const restored = await restoreSnapshot(contextFor(database, store), { uri: taken.uri })

  dropLater(restored.replaced)
  expect(seen[0]?.filter((name) => name.includes('_restoring_'))).toHaveLength(2)
  expect(await databasesOf(database)).toContain(lookalike)
})

test('tells of snapshots that were cut off, and removes them when they are older than a day', async () => {
  const { database, store, context } = await takenSnapshot()
  const folder = join(fileURLToPath(store.uri), database.name)
  const cutOff = async (name: string): Promise<string> => {
    await mkdir(join(folder, name, 'data'), { recursive: true })
    await writeFile(join(folder, name, 'pre-data.sql'), '')
    await writeFile(join(folder, name, 'data', '0001-t.copy.zst'), '')
    return `${store.uri}/${database.name}/${name}`
  }
  const now = new Date('2026-11-21T08:30:00Z')
  const old = await cutOff('20261120T082959Z-old')
  const recent = await cutOff('20261120T083001Z-recent')
  await mkdir(join(folder, 'notes'))
  await writeFile(join(folder, 'notes', 'kept.txt'), '')

  expect(await listIncomplete(store, database.name)).toEqual([
    { uri: old, begunAt: '2026-11-20T08:29:59.000Z', objects: 2 },
    { uri: recent, begunAt: '2026-11-20T08:30:01.000Z', objects: 2 },
  ])
  await createSnapshot({ ...context, now: () => now }, { runId: 'next' })

  expect((await listIncomplete(store, database.name)).map(({ uri }) => uri)).toEqual([recent])
  expect(await store.list(`${database.name}/notes/`)).toHaveLength(1)
})
