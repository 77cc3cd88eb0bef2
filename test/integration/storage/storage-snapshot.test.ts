import { describe, expect, it } from 'vitest'
import { Paused } from '../../../lambda/engine/run/pause.ts'
import { LockstepError } from '../../../lambda/errors.ts'
import {
  listStorageSnapshots,
  takeStorageSnapshot,
  type StorageContext,
} from '../../../lambda/snapshot/storage-snapshot.ts'
import type { KeptSnapshot, TestRds } from '../../support/rds.ts'
import { contextFor, OWNER, quickClock, rdsForTest } from './support.ts'

const RUN = '0f8fad5b-d9cb-469f-a165-70867728950e'
const ID = 'lockstep-shop-00000000-0f8fad5bd9cb469fa16570867728950e'

async function withInstance(status?: string): Promise<TestRds> {
  const rds = await rdsForTest()
  rds.put('instance', 'shop', status)
  return rds
}

async function failureOf(context: StorageContext): Promise<LockstepError> {
  const thrown: unknown = await takeStorageSnapshot(context, RUN).catch((error: unknown) => error)
  if (thrown instanceof LockstepError) return thrown
  throw new Error(`no LockstepError: ${String(thrown)}`)
}

describe('a storage-level snapshot', () => {
  it('is waited for, and tagged with whose it is', async () => {
    const rds = await withInstance()
    rds.takes(4)
    const snapshot = await takeStorageSnapshot(contextFor(rds), RUN)
    expect(snapshot).toMatchObject({ id: ID, status: 'available', arn: expect.stringContaining(`:snapshot:${ID}`) })
    expect(rds.snapshots()).toMatchObject([
      { id: ID, tags: { 'lockstep:set': 'default', 'lockstep:stack': 'Shop', 'lockstep:run': RUN } },
    ])
  })

  it('is begun once, however often its run asks', async () => {
    const rds = await withInstance()
    rds.takes(4)
    await Promise.all([takeStorageSnapshot(contextFor(rds), RUN), takeStorageSnapshot(contextFor(rds), RUN)])
    await takeStorageSnapshot(contextFor(rds), RUN)
    expect(rds.snapshots()).toHaveLength(1)
  })

  it('is left to the next invocation when the time of this one is over, which finds it', async () => {
    const rds = await withInstance()
    rds.takes(6)
    let questions = 0
    const hurried = contextFor(rds, { shouldPause: () => (questions += 1) > 2 })
    await expect(takeStorageSnapshot(hurried, RUN)).rejects.toBeInstanceOf(Paused)
    expect(await takeStorageSnapshot(contextFor(rds), RUN)).toMatchObject({ id: ID, status: 'available' })
    expect(rds.calls().filter((call) => call === 'CreateDBSnapshot')).toHaveLength(1)
  })

  it('waits for a server that is backed up', async () => {
    const rds = await withInstance('backing-up')
    const { clock, passedMs } = quickClock()
    const sleep = async (milliseconds: number): Promise<void> => {
      await clock.sleep(milliseconds)
      if (passedMs() > 20_000) rds.put('instance', 'shop')
    }
    expect(await takeStorageSnapshot(contextFor(rds, { clock: { ...clock, sleep } }), RUN)).toMatchObject({ id: ID })
  })

  it('fails when the server does not become available', async () => {
    const error = await failureOf(contextFor(await withInstance('stopped')))
    expect(error.report).toMatchObject({
      code: 'SNAPSHOT_FAILED',
      message: expect.stringMatching(/^The snapshot of instance "shop" failed: cannot begin .* available state\.$/),
      state: 'The database has not been touched.',
      remedy: 'Wait until the instance "shop" is "available", and try again.',
    })
  })

  it('fails while there is still time for the answer when it takes too long', async () => {
    const rds = await withInstance()
    rds.takes(1_000_000)
    const { clock, passedMs } = quickClock()
    const error = await failureOf(contextFor(rds, { clock, remainingMs: () => 840_000 - passedMs() }))
    expect(passedMs()).toBeGreaterThan(600_000)
    expect(passedMs()).toBeLessThanOrEqual(630_000)
    expect(error.report).toMatchObject({
      code: 'SNAPSHOT_FAILED',
      message: expect.stringMatching(
        new RegExp(`${ID} is at 0 % after 6\\d\\d s, and the rest of the time is for the run`),
      ),
      remedy: expect.stringContaining('totalTimeout (up to an hour)'),
    })
    expect(rds.snapshots()).toHaveLength(1)
  })

  it('fails when somebody deletes it meanwhile', async () => {
    const rds = await withInstance()
    rds.takes(1_000_000)
    const { clock, passedMs } = quickClock()
    const sleep = async (milliseconds: number): Promise<void> => {
      await clock.sleep(milliseconds)
      if (passedMs() > 10_000) rds.forget(ID)
    }
    expect((await failureOf(contextFor(rds, { clock: { ...clock, sleep } }))).message).toContain(
      `${ID} was begun, but RDS does not know of it any more`,
    )
  })

  it('fails when RDS says that it failed', async () => {
    const rds = await withInstance()
    rds.keep({ id: ID, kind: 'instance', server: 'shop', status: 'failed' })
    expect((await failureOf(contextFor(rds))).message).toContain(`RDS says that ${ID} is "failed"`)
  })

  it('ends at once when the run is told to stop', async () => {
    const rds = await withInstance()
    rds.takes(1_000_000)
    const controller = new AbortController()
    const { clock } = quickClock()
    const sleep = async (): Promise<void> => controller.abort(new Error('interrupted'))
    const error = await failureOf(contextFor(rds, { clock: { ...clock, sleep }, signal: controller.signal }))
    expect(error.report).toMatchObject({ message: expect.stringContaining('interrupted') })
  })
})

describe('old storage-level snapshots', () => {
  const tags = { 'lockstep:set': 'default', 'lockstep:stack': 'Shop', 'lockstep:run': 'r' }
  const kept = (id: string, day: number, more: Partial<KeptSnapshot> = {}) =>
    ({ id, kind: 'instance', server: 'shop', tags, createdAt: new Date(Date.UTC(2026, 0, day)), ...more }) as const
  const own = (day: number, more: Partial<KeptSnapshot> = {}) => kept(`${OWNER.prefix}${day}`, day, more)

  it('are deleted beyond the newest, and those that came to nothing', async () => {
    const rds = await withInstance()
    for (const day of [3, 1, 4, 2]) rds.keep(own(day))
    rds.keep(own(5, { status: 'failed' }))
    await takeStorageSnapshot(contextFor(rds, { keepLast: 3 }), RUN)
    expect(rds.snapshots().map(({ id }) => id)).toEqual([`${OWNER.prefix}3`, `${OWNER.prefix}4`, ID])
  })

  it("are never others', whatever they are called or tagged", async () => {
    const rds = await withInstance()
    const others = [
      kept('nightly', 1),
      own(1, { tags: {} }),
      own(2, { tags: { ...tags, 'lockstep:set': 'billing' } }),
      own(3, { tags: { ...tags, 'lockstep:stack': 'Other' } }),
      own(4, { type: 'automated' }),
      own(5, { server: 'other' }),
      own(6, { available: 1_000_000 }),
    ]
    for (const snapshot of others) rds.keep(snapshot)
    await takeStorageSnapshot(contextFor(rds, { keepLast: 1 }), RUN)
    expect(rds.snapshots().map(({ id }) => id)).toEqual([...others.map(({ id }) => id), ID])
  })

  it('that cannot be deleted keep no run from going on', async () => {
    const rds = await withInstance()
    rds.keep(own(1))
    const warnings: string[] = []
    const context = contextFor(rds, { keepLast: 1 })
    const log = { ...context.log, warn: (message: string) => void warnings.push(message) }
    await takeStorageSnapshot(
      { ...context, log, service: { ...context.service, remove: () => Promise.reject(new Error('in use')) } },
      RUN,
    )
    expect(warnings).toEqual(['old snapshots could not be deleted'])
  })

  it('are listed, newest first, when they are available', async () => {
    const rds = await withInstance()
    for (const day of [3, 1, 2]) rds.keep(own(day))
    rds.keep(own(4, { available: 1_000_000 }))
    rds.keep(kept('nightly', 5))
    const listed = await listStorageSnapshots(contextFor(rds))
    expect(listed.map(({ id }) => id)).toEqual([3, 2, 1].map((day) => `${OWNER.prefix}${day}`))
  })

  it('that cannot be listed are told as such', async () => {
    const rds = await withInstance()
    rds.answer('denied')
    await expect(listStorageSnapshots(contextFor(rds))).rejects.toMatchObject({
      report: {
        code: 'SNAPSHOT_FAILED',
        message: expect.stringContaining('Listing the snapshots of instance "shop" failed'),
      },
    })
  })
})
