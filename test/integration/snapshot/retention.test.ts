import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { perform } from '../../../lambda/actions.ts'
import type { Config } from '../../../lambda/config.ts'
import type { Lockstep } from '../../../lambda/lockstep.ts'
import { silentLog, type LogFields } from '../../../lambda/log.ts'
import { pruneSnapshots } from '../../../lambda/prune-snapshots.ts'
import { snapshotPrefix } from '../../../lambda/snapshot/names.ts'
import type { SnapshotStore } from '../../../lambda/snapshot/store.ts'
import { createDatabase, type TestDatabase } from '../../support/database.ts'
import { lockstepFor } from '../../support/lockstep.ts'
import { writeFiles } from '../../support/source-files.ts'
import { temporaryDirectory } from './support.ts'

interface Setup {
  readonly database: TestDatabase
  readonly lockstep: Lockstep
  readonly store: SnapshotStore
  readonly uris: () => Promise<readonly string[]>
  readonly warnings: LogFields[]
}

async function setUp(overrides: Partial<Config>): Promise<Setup> {
  const database = await createDatabase()
  const warnings: LogFields[] = []
  const lockstep = lockstepFor(
    database.url,
    await writeFiles({ '1_a.sql': '-- migrate:up\nCREATE TABLE t (n int);' }),
    { snapshots: { location: await temporaryDirectory(), kmsKeyId: null }, snapshotMode: 'logical', ...overrides },
    { ...silentLog, warn: (_message, fields = {}) => void warnings.push(fields) },
  )
  const { store } = lockstep.snapshots()
  const uris = async (): Promise<readonly string[]> => {
    const folders = (await store.list(`${database.name}/`)).map((key) => key.split('/', 2).join('/'))
    return [...new Set(folders)].toReversed().map((folder) => `${store.uri}/${folder}`)
  }
  return { database, lockstep, store, uris, warnings }
}

/** What a snapshot of so many days ago looks like in the store. */
async function older({ store, database }: Setup, days: number, runId = `day-${days}`): Promise<string> {
  const prefix = snapshotPrefix(database.name, new Date(Date.now() - days * 86_400_000), runId)
  for (const key of ['data/0001-t.copy.zst', 'manifest.json'])
    await store.write(`${prefix}/${key}`, Readable.from(['{}']))
  return `${store.uri}/${prefix}`
}

test('a run deletes old snapshots of its database once its own is complete, but never the newest', async () => {
  const setup = await setUp({ snapshotKeepLast: 2, snapshotKeepDays: 5 })
  await older(setup, 20)
  await older(setup, 10)
  const kept = await older(setup, 3)
  const other = 'other/20200101T000000Z-x/manifest.json'
  await setup.store.write(other, Readable.from(['{}']))

  const { snapshot } = await perform(setup.lockstep, { action: 'up' })

  expect(await setup.uris()).toEqual([snapshot, kept])
  expect(await setup.store.list('other/')).toEqual([other])
})

test('the snapshot of a run that has not ended stays', async () => {
  const setup = await setUp({ snapshotKeepLast: 1 })
  const [ended, open] = [await older(setup, 2), await older(setup, 1)]
  // Complete, but its run has not come to recording it.
  const unrecorded = randomUUID()
  const justTaken = await older(setup, 1, unrecorded)
  await perform(setup.lockstep, { action: 'init' })
  await setup.database
    .rows(`INSERT INTO lockstep.runs (run_id, "set", trigger, action, from_heads, status, started_at, snapshot_uri)
    VALUES (gen_random_uuid(), 'another', 'deployment', 'up', '{}', 'running', now(), '${open}'),
           ('${unrecorded}', 'another', 'deployment', 'up', '{}', 'running', now(), NULL),
           (gen_random_uuid(), 'another', 'deployment', 'up', '{}', 'failed', now(), '${ended}')`)

  const taken = await older(setup, 0)

  await pruneSnapshots(setup.lockstep, taken)

  expect((await setup.uris()).toSorted()).toEqual([taken, open, justTaken].toSorted())
})

test('what cannot be deleted is a warning', async () => {
  const setup = await setUp({ snapshotKeepLast: 1 })
  const old = await older(setup, 2)
  const taken = await older(setup, 0)
  const refusing: Lockstep = {
    ...setup.lockstep,
    snapshots: () => ({
      ...setup.lockstep.snapshots(),
      store: { ...setup.store, remove: () => Promise.reject(new Error('AccessDenied')) },
    }),
  }

  await pruneSnapshots(refusing, taken)

  expect(setup.warnings).toEqual([{ error: 'AccessDenied' }])
  expect(await setup.uris()).toContain(old)
})

test('without a rule nothing is deleted', async () => {
  const setup = await setUp({})
  const [first, second] = [await older(setup, 900), await older(setup, 800)]

  await pruneSnapshots(setup.lockstep, second)

  expect(await setup.uris()).toEqual([second, first])
})
