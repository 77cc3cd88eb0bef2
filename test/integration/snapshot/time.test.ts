import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { perform } from '../../../lambda/actions.ts'
import type { Config } from '../../../lambda/config.ts'
import { LockstepError } from '../../../lambda/errors.ts'
import type { Lockstep } from '../../../lambda/lockstep.ts'
import { silentLog } from '../../../lambda/log.ts'
import { withinTime } from '../../../lambda/snapshot-time.ts'
import { formatManifest, parseManifest } from '../../../lambda/snapshot/manifest.ts'
import { prefixOf } from '../../../lambda/snapshot/snapshot-uri.ts'
import { createDatabase, type TestDatabase } from '../../support/database.ts'
import { lockstepFor } from '../../support/lockstep.ts'
import { writeFiles } from '../../support/source-files.ts'
import { reportOfFailure, temporaryDirectory } from './support.ts'

const FILES = { '1_next.sql': '-- migrate:up\nALTER TABLE big ADD COLUMN more int;' }

interface Setup {
  readonly database: TestDatabase
  readonly lockstep: (overrides?: Partial<Config>) => Lockstep
}

/** A database with a table of some 400 kB, beside other things. */
async function setUp(): Promise<Setup> {
  const database = await createDatabase()
  await database.rows(`CREATE TABLE big AS SELECT n, repeat('x', 100) AS t FROM generate_series(1, 3000) AS n;
    CREATE TABLE other AS SELECT * FROM big`)
  const [location, migrations] = [await temporaryDirectory(), await writeFiles(FILES)]
  return {
    database,
    lockstep: (overrides = {}) =>
      lockstepFor(database.url, migrations, {
        snapshots: { location, kmsKeyId: null },
        snapshotMode: 'logical',
        ...overrides,
      }),
  }
}

/** Makes the newest snapshot one that says that copying is this slow. */
async function pretendSpeed(lockstep: Lockstep, bytesPerSecond: number): Promise<void> {
  const { store } = lockstep.snapshots()
  const { uri } = await perform(lockstep, { action: 'snapshot' })
  const key = `${prefixOf(store, uri)}/manifest.json`
  const manifest = parseManifest(Buffer.concat(await (await store.read(key)).toArray()).toString())
  const copied = { tableBytes: 100_000_000, durationMs: (100_000_000 / bytesPerSecond) * 1000, workers: 4 }
  await store.write(key, Readable.from([Buffer.from(formatManifest({ ...manifest, copied }))]))
}

const withTime = (lockstep: Lockstep, milliseconds: number): Lockstep => ({
  ...lockstep,
  remainingMs: () => milliseconds,
})

test('a run whose snapshot cannot be done in time is refused before its first statement', async () => {
  const { database, lockstep } = await setUp()
  await pretendSpeed(lockstep(), 50_000)

  const refused = await perform(withTime(lockstep(), 35_000), { action: 'up' })

  expect(refused).toMatchObject({ status: 'failed', applied: [], snapshot: null, rolledBack: true })
  expect(refused.error).toMatchObject({
    code: 'SNAPSHOT_FAILED',
    message: expect.stringMatching(
      /^The snapshot would copy [\d.]+ [kM]B of \d tables\. At 50 kB\/s, as measured on an earlier snapshot, that takes \d+ s, and 5 s are left for it\.$/,
    ),
    remedy: expect.stringMatching(/"affected".*exclude.*workers.*totalTimeout.*Snapshot\.rds\(\)/),
  })
  expect(await database.rows(`SELECT 1 FROM pg_attribute WHERE attname = 'more'`)).toEqual([])

  const smaller = lockstep({ snapshotExclude: ['public.other'] })
  expect(await perform(withTime(smaller, 45_000), { action: 'up' })).toMatchObject({ status: 'succeeded' })
})

test('a table that is locked for a while does not keep a run from its snapshot', async () => {
  const { database, lockstep } = await setUp()
  const other = await database.connect()
  await other.execute('BEGIN; LOCK TABLE other IN ACCESS EXCLUSIVE MODE')
  const log = { ...silentLog, warn: (message: string) => void (message.includes('locked') && other.execute('COMMIT')) }

  const result = await perform({ ...withTime(lockstep(), 90_000), log }, { action: 'up' })

  expect(result).toMatchObject({ status: 'succeeded', snapshot: expect.stringContaining('file:') as string })
})

test('a person at a terminal has all the time there is', async () => {
  const { lockstep } = await setUp()
  await pretendSpeed(lockstep(), 1)

  expect(await perform(lockstep(), { action: 'up' })).toMatchObject({ status: 'succeeded' })
})

test('a plan tells what the snapshot would hold, and how long it would take', async () => {
  const { lockstep } = await setUp()

  const before = await perform(lockstep(), { action: 'plan', sql: false })
  expect(before.snapshotEstimate).toMatchObject({ scope: 'database', tables: 2, speed: 'assumed', affected: null })
  await pretendSpeed(lockstep(), 50_000)
  const after = await perform(lockstep({ snapshotScope: { kind: 'affected' } }), { action: 'plan', sql: false })
  expect(after.snapshotEstimate).toMatchObject({
    scope: 'affected',
    tables: 1,
    omittedTables: 1,
    bytesPerSecond: 50_000,
    speed: 'measured',
    affected: [{ schema: 'public', name: 'big', why: 'ALTER TABLE in 1_next' }],
  })
  const { bytes, seconds } = after.snapshotEstimate ?? { bytes: 0, seconds: 0 }
  expect(bytes).toBeGreaterThan(300_000)
  expect(seconds).toBe(Math.ceil(bytes / 50_000))
  expect(await perform(lockstep({ snapshotMode: 'none' }), { action: 'plan', sql: false })).not.toHaveProperty(
    'snapshotEstimate',
  )
})

test('a snapshot that turns out too slow is given up', async () => {
  const { lockstep } = await setUp()
  const selection = { scope: { kind: 'database' }, exclude: [], historySchema: 'lockstep' } as const
  const context = await withinTime(withTime(lockstep(), 90_000), { selection, unsure: null })

  context.onOutlook?.({ elapsedMs: 1000, restMs: 600_000 })
  context.onOutlook?.({ elapsedMs: 30_000, restMs: 50_000 })
  expect(context.signal?.aborted).toBe(false)
  context.onOutlook?.({ elapsedMs: 30_000, restMs: 600_000 })

  expect(context.signal?.reason).toBeInstanceOf(LockstepError)
  expect(await reportOfFailure(Promise.reject(context.signal?.reason))).toMatchObject({
    code: 'SNAPSHOT_FAILED',
    message: 'The snapshot was given up after 30 s: at its speed it would go on for 10 min, and 60 s were left for it.',
  })
})
