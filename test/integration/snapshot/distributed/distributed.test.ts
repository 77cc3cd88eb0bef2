import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Paused } from '../../../../lambda/engine/run/pause.ts'
import { parseManifest, type SnapshotManifest } from '../../../../lambda/snapshot/manifest.ts'
import type { SnapshotStore } from '../../../../lambda/snapshot/store.ts'
import type { TestS3 } from '../../../support/s3.ts'
import { onServer } from '../../../support/database.ts'
import { contentOf, cutSessions, databasesOf, dropLater, reportOfFailure, until } from '../support.ts'
import { restored, stage, startBucket, type Stage, type StageOptions } from './support.ts'

let s3: TestS3
beforeAll(async () => void (s3 = await startBucket()))
afterAll(async () => s3.stop())

function open(options?: StageOptions): Promise<Stage> {
  return stage(s3, options)
}

async function manifestIn(store: SnapshotStore): Promise<SnapshotManifest> {
  const [key = ''] = (await store.list('')).filter((key) => key.endsWith('/manifest.json'))
  return parseManifest(Buffer.concat(await (await store.read(key)).toArray()).toString())
}

function items({ events }: Stage): readonly number[] {
  return events.flatMap((event) => (event.snapshotWork === 'copy' ? [event.item] : [])).toSorted((a, b) => a - b)
}

function turns({ events }: Stage): number {
  return events.filter(({ snapshotWork }) => snapshotWork === 'hold').length
}

/** Changes every table, and removes what no view sees any more. */
async function changeAndVacuum({ database }: Stage): Promise<void> {
  await database.rows("UPDATE part_1 SET note = 'changed'; DELETE FROM part_2; UPDATE large SET id = -id")
  for (const table of ['part_1', 'part_2', 'large']) await database.rows(`VACUUM ${table}`)
}

/** What a snapshot and a restore have left that were killed long ago. */
async function leaveHalfDone({ database: { name }, store }: Stage): Promise<void> {
  await store.write(`${name}/20200101T000000Z-killed/pre-data.sql`, Readable.from([Buffer.from('SELECT 1;')]))
  const copy = dropLater(`${name}_restoring_20200101000000`)
  await onServer(`CREATE DATABASE ${copy}`)
  await onServer(`COMMENT ON DATABASE ${copy} IS 'Half-made by Lockstep: it was killed.'`)
}

const WHOLE = { tables: 6, rows: 4 * 2800 + 5500 }
const POLL = { timeout: 30_000 }

describe('a distributed copy', () => {
  it('holds what the database held when it began, each item once, whatever happens meanwhile', async () => {
    const attempts = new Map<number, number>()
    const again: (readonly string[])[] = []
    const staged: Stage = await open({
      before: async (event) => {
        if (event.snapshotWork === 'end') again.push(await askedOnceMore(staged, event.prefix))
        if (event.snapshotWork !== 'copy') return
        if (attempts.size === 0) await changeAndVacuum(staged)
        const attempt = (attempts.get(event.item) ?? 0) + 1
        attempts.set(event.item, attempt)
        if (event.item === 2 && attempt < 3) throw new Error('the machine below it was lost')
      },
    })
    const before = await contentOf(staged.database)
    await leaveHalfDone(staged)
    const result = await staged.take()
    expect(result).toMatchObject({ database: staged.database.name, ...WHOLE })
    expect(await databasesOf(staged.database)).toEqual([staged.database.name])
    expect(items(staged)).toEqual([0, 0, 1, 2, 2, 2, 3, 4, 5])
    expect(again).toEqual([[]])
    expect(await restored(staged, result.uri)).toEqual(before)
    // Nothing is left but what the manifest names.
    const { objects, largeObjects } = await manifestIn(staged.store)
    expect(largeObjects).toMatchObject({ count: 1, bytes: 9 })
    const keys = (await staged.store.list('')).map((key) => key.split('/').slice(2).join('/'))
    expect(keys).toEqual([...objects.map(({ key }) => key), 'manifest.json'].toSorted())
    // Its answer was lost: it is asked for once more.
    expect((await staged.take()).uri).toBe(result.uri)
  })

  it('outlasts any invocation: the view is handed on from session to session', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    let starts = 0
    const staged = await open({
      // Room for a machine that stands still for a second: holders hand on a tenth of it before their end.
      invocationMs: 20_000,
      afterStart: async () => void (starts += 1),
      before: async ({ snapshotWork }) => (snapshotWork === 'copy' ? released : undefined),
    })
    const before = await contentOf(staged.database)
    // The run's own invocation leaves as soon as others hold the view.
    const patient = { remainingMs: () => 60_000 }
    await expect(staged.take({ ...patient, shouldPause: () => true })).rejects.toBeInstanceOf(Paused)
    await changeAndVacuum(staged)
    await expect.poll(() => turns(staged), POLL).toBeGreaterThan(3)
    await staged.database.rows('VACUUM large')
    release()
    const { uri } = await staged.take(patient)
    expect(starts).toBe(1)
    expect(await restored(staged, uri)).toEqual(before)
  })

  it('leaves a table that somebody waits to change to those who have locked it', async () => {
    const waiting: Promise<unknown>[] = []
    const staged: Stage = await open({
      before: async ({ snapshotWork }) => {
        if (snapshotWork !== 'copy' || waiting.length > 0) return
        waiting.push(staged.database.rows('ALTER TABLE part_3 ADD COLUMN later int'))
        await until(staged.database, "SELECT FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'")
      },
    })
    expect(await staged.take()).toMatchObject(WHOLE)
    await Promise.all(waiting)
    expect(items(staged)).toEqual([0, 1, 2, 3, 4, 5])
  })

  it.each([1, 2])(
    'goes on when somebody waits to change a table once only one of two, %i, holds the view',
    async (one) => {
      let waiting: Promise<unknown> = Promise.resolve()
      const begin = async (): Promise<void> => {
        await expect
          .poll(async () => (await staged.store.list('')).some((key) => key.endsWith(`views/${one}.json`)), POLL)
          .toBe(true)
        waiting = staged.database.rows('ALTER TABLE part_3 ADD COLUMN later int')
        await until(staged.database, "SELECT FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'")
      }
      let begun: Promise<void> | null = null
      const staged: Stage = await open({
        before: async (event) => {
          const isFirst = event.snapshotWork === 'hold' && event.slot === one
          if (!isFirst) await (begun ??= begin())
        },
      })
      expect(await staged.take()).toMatchObject(WHOLE)
      await waiting
    },
  )

  it('goes on when a session that holds the view is lost: the other has it', async () => {
    let cutting: Promise<void> | null = null
    const cutOne = async (): Promise<void> => {
      await expect.poll(() => staged.store.list('').then((keys) => keys.filter(isView)), POLL).toHaveLength(3)
      const newest = `pid = (SELECT pid FROM pg_stat_activity WHERE application_name = 'lockstep-snapshot'
          AND datname = '${staged.database.name}' ORDER BY backend_start DESC LIMIT 1)`
      expect(await cutSessions(staged.database, newest)).toBe(1)
    }
    const staged: Stage = await open({
      before: async ({ snapshotWork }) => (snapshotWork === 'copy' ? (cutting ??= cutOne()) : undefined),
    })
    expect(await staged.take()).toMatchObject(WHOLE)
    expect(turns(staged)).toBe(3)
  })

  it('begins anew when the view was lost with the invocation that began it, which was killed', async () => {
    let starts = 0
    const staged = await open({
      afterStart: async (database) => {
        starts += 1
        if (starts > 1) return
        await cutSessions(database)
        await new Promise(() => {})
      },
    })
    void staged.take()
    await expect.poll(() => starts, POLL).toBe(1)
    expect(await staged.take()).toMatchObject(WHOLE)
    expect(starts).toBe(2)
  })

  it('fails with what an item failed of, and leaves nothing behind', async () => {
    const staged = await open({ refuses: 'data/0003' })
    const report = await reportOfFailure(staged.take())
    expect(report).toMatchObject({
      code: 'SNAPSHOT_FAILED',
      message: expect.stringMatching(
        /^The distributed snapshot failed: Copying an item .*data\/0003: access denied\.$/,
      ),
      state: 'The database has not been touched, and nothing of the snapshot was kept.',
      remedy: 'Allow s3:PutObject.',
    })
    await staged.settled()
    expect(
      await staged.database.rows(
        "SELECT FROM pg_stat_activity WHERE application_name = 'lockstep-snapshot' AND datname = current_database()",
      ),
    ).toEqual([])
    expect((await staged.store.list('')).filter((key) => !key.includes('/copying/end.json'))).toEqual([])
  })
})

function isView(key: string): boolean {
  return key.includes('/copying/views/')
}

/** What an item that is done already leaves behind when it is asked for once more. */
async function askedOnceMore({ store, invoke }: Stage, prefix: string): Promise<readonly string[]> {
  const before = await store.list('')
  expect(await invoke({ snapshotWork: 'copy', prefix, item: 0 })).toMatchObject({ ok: true })
  return (await store.list('')).filter((key) => !before.includes(key))
}
