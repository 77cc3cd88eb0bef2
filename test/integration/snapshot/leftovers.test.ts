import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type pg from 'pg'
import { expect, test } from 'vitest'
import { listIncomplete } from '../../../lambda/snapshot/incomplete.ts'
import { restoreSnapshot } from '../../../lambda/snapshot/restore.ts'
import { createSnapshot, type SnapshotContext } from '../../../lambda/snapshot/snapshot.ts'
import type { SnapshotStore } from '../../../lambda/snapshot/store.ts'
import { createDatabase, onServer, type TestDatabase } from '../../support/database.ts'
import {
  contextFor,
  databasesOf,
  directoryStore,
  dropLater,
  interruptedStore,
  reportOfFailure,
  spareCopies,
} from './support.ts'

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

/** A restore whose process is killed: its sessions end, and nobody cleans up, because nothing can be reached any more. */
interface Dying {
  readonly context: SnapshotContext
  readonly kill: () => Promise<void>
  /** From then on its copy is nobody's. */
  readonly giveUp: () => Promise<void>
}

function dyingContext(database: TestDatabase, store: SnapshotStore): Dying {
  const clients: pg.Client[] = []
  let killed = false
  let giveUp: Dying['giveUp'] | null = null
  const context = contextFor(database, store)
  const kill = async (): Promise<void> => {
    if (!killed) giveUp = await spareCopies(database)
    killed = true
    await Promise.all(clients.map(async (client) => client.end()))
  }
  const openClient: SnapshotContext['openClient'] = async (...args) => {
    if (killed) throw new Error('the process is dead')
    const client = await context.openClient(...args)
    clients.push(client)
    return client
  }
  return { context: { ...context, openClient }, kill, giveUp: async () => giveUp?.() }
}

async function leftBy(database: TestDatabase, restoring: Promise<unknown>): Promise<string> {
  const { state } = await reportOfFailure(restoring)
  expect(state).toContain('may remain and can be dropped')
  const left = (await databasesOf(database)).find((name) => name.includes('_restoring_'))
  return dropLater(left ?? 'none')
}

/** The copy that is left. */
interface Killed extends Pick<Dying, 'giveUp'> {
  readonly left: string
}

/** While it reads the rows. */
async function killRestore({ database, store, uri }: Taken): Promise<Killed> {
  const { context, kill, giveUp } = dyingContext(database, store)
  const cutOff = interruptedStore(store, { read: '-small-tables.sql.zst' }, kill)
  return { left: await leftBy(database, restoreSnapshot({ ...context, store: cutOff }, { uri })), giveUp }
}

/** When the copy is there, but says nothing of itself yet. */
async function killBeforeComment({ database, store, uri }: Taken): Promise<Killed> {
  const { context, kill, giveUp } = dyingContext(database, store)
  const openClient: SnapshotContext['openClient'] = async (...args) => {
    const client = await context.openClient(...args)
    const query = client.query.bind(client) as (...args: readonly unknown[]) => Promise<unknown>
    const watched = async (...given: readonly unknown[]): Promise<unknown> => {
      if (String(given[0]).startsWith('COMMENT ON DATABASE')) await kill()
      return query(...given)
    }
    return Object.assign<pg.Client, object>(client, { query: watched })
  }
  return { left: await leftBy(database, restoreSnapshot({ ...context, openClient }, { uri })), giveUp }
}

test('the next restore drops the half-made copy of one that was killed', async () => {
  const taken = await takenSnapshot()
  const { left, giveUp } = await killRestore(taken)
  expect(left).toMatch(/_restoring_\d{14}$/)

  await giveUp()
  const restored = await restoreSnapshot(taken.context, { uri: taken.uri })

  expect(await databasesOf(taken.database)).toEqual([taken.database.name, dropLater(restored.replaced)])
})

test('the next snapshot drops it as well', async () => {
  const taken = await takenSnapshot()
  const { left, giveUp } = await killRestore(taken)
  expect(await databasesOf(taken.database)).toEqual([taken.database.name, left])

  await giveUp()
  await createSnapshot(taken.context, { runId: 'next' })

  expect(await databasesOf(taken.database)).toEqual([taken.database.name])
})

test('the next snapshot drops the copy of a restore that was killed before the copy could say what it is', async () => {
  const taken = await takenSnapshot()
  const { database, context } = taken
  const { left, giveUp } = await killBeforeComment(taken)
  expect(
    await database.rows(`SELECT shobj_description(oid, 'pg_database') AS c FROM pg_database WHERE datname = '${left}'`),
  ).toEqual([{ c: null }])

  await giveUp()
  await createSnapshot(context, { runId: 'next' })

  expect(await databasesOf(database)).toEqual([database.name])
})

test("a database that only has such a copy's limit of connections, or only its name, is left alone", async () => {
  const { database, context } = await takenSnapshot()
  const named = dropLater(`${database.name}_restoring_20260101000000`)
  const limited = dropLater(`${database.name}_limited`)
  const told = dropLater(`${database.name}_restoring_20260101000001`)
  await onServer(`CREATE DATABASE ${named}`)
  await onServer(`CREATE DATABASE ${limited} CONNECTION LIMIT 1280004946`)
  await onServer(`CREATE DATABASE ${told} CONNECTION LIMIT 1280004946`)
  await onServer(`COMMENT ON DATABASE ${told} IS 'mine'`)

  await createSnapshot(context, { runId: 'next' })

  expect(await databasesOf(database)).toEqual([database.name, limited, named, told])
})

test("a restored database has the original's limit of connections", async () => {
  const { database, store, context, uri } = await takenSnapshot()
  const limitOf = async (): Promise<unknown> =>
    (await database.rows(`SELECT datconnlimit FROM pg_database WHERE datname = '${database.name}'`))[0]?.[
      'datconnlimit'
    ]
  dropLater((await restoreSnapshot(context, { uri })).replaced)
  expect(await limitOf()).toBe(-1)

  await onServer(`ALTER DATABASE ${database.name} CONNECTION LIMIT 25`)
  const limited = await createSnapshot(contextFor(database, store), { runId: 'limited' })
  dropLater((await restoreSnapshot(context, { uri: limited.uri })).replaced)

  expect(await limitOf()).toBe(25)
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
    const unfinished = join(folder, name, 'data', '.incomplete-1')
    await writeFile(unfinished, 'half a file')
    if (name.endsWith('old')) await utimes(unfinished, 0, 0)
    return `${store.uri}/${database.name}/${name}`
  }
  const now = new Date('2026-11-21T08:30:00Z')
  const old = await cutOff('20261120T082959Z-old')
  const recent = await cutOff('20261120T083001Z-recent')
  await mkdir(join(folder, 'notes'))
  await writeFile(join(folder, 'notes', 'kept.txt'), '')

  expect(await listIncomplete(store, database.name)).toEqual([
    { uri: old, begunAt: '2026-11-20T08:29:59.000Z', objects: 3 },
    { uri: recent, begunAt: '2026-11-20T08:30:01.000Z', objects: 2 },
  ])
  await createSnapshot({ ...context, now: () => now }, { runId: 'next' })

  expect((await listIncomplete(store, database.name)).map(({ uri }) => uri)).toEqual([recent])
  expect(await readdir(folder)).not.toContain('20261120T082959Z-old')
  expect(await store.list(`${database.name}/notes/`)).toHaveLength(1)
})
