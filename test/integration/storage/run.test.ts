import { describe, expect, it } from 'vitest'
import { perform } from '../../../lambda/actions.ts'
import type { RunResult } from '../../../lambda/contract.ts'
import type { Lockstep } from '../../../lambda/lockstep.ts'
import type { StorageContext } from '../../../lambda/snapshot/storage-snapshot.ts'
import { createDatabase, type TestDatabase } from '../../support/database.ts'
import { lockstepFor } from '../../support/lockstep.ts'
import type { TestRds } from '../../support/rds.ts'
import { writeFiles } from '../../support/source-files.ts'
import { contextFor, OWNER, rdsForTest } from './support.ts'

const FILES = { '1_items.sql': '-- migrate:up\nCREATE TABLE items (id int);\n-- migrate:down\nDROP TABLE items;\n' }
const RDS = { kind: 'instance', identifier: 'shop', snapshotPrefix: OWNER.prefix, stackName: OWNER.stack } as const
const URI = new RegExp(`^arn:aws:rds:eu-central-1:111122223333:snapshot:${OWNER.prefix}[0-9a-f]{32}$`)

interface Stage {
  readonly rds: TestRds
  readonly database: TestDatabase
  readonly lockstep: (storage?: Partial<StorageContext>) => Promise<Lockstep>
}

async function stage(): Promise<Stage> {
  const [rds, database, store] = [await rdsForTest(), await createDatabase(), await writeFiles({})]
  rds.put('instance', 'shop')
  const lockstep: Stage['lockstep'] = async (storage = {}) => {
    const snapshots = { location: store, kmsKeyId: null }
    const config = { snapshotMode: 'rds', rds: RDS, snapshots } as const
    const composed = lockstepFor(database.url, await writeFiles(FILES), config)
    return { ...composed, storage: () => contextFor(rds, storage) }
  }
  return { rds, database, lockstep }
}

const LOCKS = `SELECT FROM pg_locks WHERE locktype = 'advisory'
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`
const RUNS = 'SELECT run_id, status, snapshot_uri FROM lockstep.runs'
const TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"

async function up(lockstep: Lockstep): Promise<RunResult> {
  return perform(lockstep, { action: 'up', requestId: 'r-1' })
}

describe('a run with a storage-level snapshot', () => {
  it('waits for it before its first statement, and records it', async () => {
    const { rds, database, lockstep } = await stage()
    rds.takes(3)
    const plan = await perform(await lockstep(), { action: 'plan', sql: false })
    expect(plan.snapshot).toBe('rds')
    const result = await up(await lockstep())
    expect(result).toMatchObject({ status: 'succeeded', applied: ['1_items'], snapshot: expect.stringMatching(URI) })
    expect(await database.rows(RUNS)).toEqual([
      { run_id: result.runId, status: 'succeeded', snapshot_uri: result.snapshot },
    ])
    expect(rds.snapshots()).toMatchObject([{ tags: { 'lockstep:run': result.runId } }])
  })

  it('pauses as long as it is in the making: nothing is touched and no lock is held meanwhile', async () => {
    const { rds, database, lockstep } = await stage()
    rds.takes(1_000_000)
    const hurried = { shouldPause: () => true }
    const first = await up(await lockstep(hurried))
    expect(first).toMatchObject({ status: 'paused', applied: [], snapshot: null })
    expect(await database.rows(RUNS)).toEqual([{ run_id: first.runId, status: 'running', snapshot_uri: null }])
    expect(await database.rows(TABLES)).toEqual([])
    expect(await database.rows(LOCKS)).toEqual([])
    expect(await up(await lockstep(hurried))).toMatchObject({ status: 'paused', runId: first.runId })
    rds.keep({ ...soleSnapshot(rds), available: 0 })
    const last = await up(await lockstep(hurried))
    expect(last).toMatchObject({ status: 'succeeded', runId: first.runId, snapshot: expect.stringMatching(URI) })
    expect(rds.calls().filter((call) => call === 'CreateDBSnapshot')).toHaveLength(1)
    expect(await database.rows(TABLES)).toEqual([{ tablename: 'items' }])
  })

  it('leaves the database as it was when there can be none', async () => {
    const { rds, database, lockstep } = await stage()
    rds.answer('quota')
    const result = await up(await lockstep())
    expect(result).toMatchObject({
      status: 'failed',
      rolledBack: true,
      error: { code: 'SNAPSHOT_FAILED', message: expect.stringContaining('more than 100 manual snapshots') },
    })
    expect(await database.rows(TABLES)).toEqual([])
  })
})

describe('the actions on snapshots', () => {
  it('take one of the storage, and list it beside those in the store', async () => {
    const { lockstep, database } = await stage()
    const taken = await perform(await lockstep(), { action: 'snapshot' })
    expect(taken).toMatchObject({ uri: expect.stringMatching(URI), database: database.name, bytes: null, rows: null })
    const chosen = await perform(await lockstep(), { action: 'snapshot', scope: { kind: 'database' } })
    expect(chosen.uri).toMatch(/^file:/)
    const { snapshots } = await perform(await lockstep(), { action: 'snapshots' })
    expect(snapshots.map(({ uri }) => uri).toSorted()).toEqual([taken.uri, chosen.uri].toSorted())
  })

  it('refuse to restore one, with the command that does', async () => {
    const { lockstep } = await stage()
    const arn = 'arn:aws:rds:eu-central-1:111122223333:snapshot:lockstep-shop-1'
    const cluster = arn.replace(':snapshot:', ':cluster-snapshot:')
    await expect(perform(await lockstep(), { action: 'restore', uri: arn })).rejects.toMatchObject({
      report: {
        code: 'CONFIG_INVALID',
        state: 'The database has not been touched.',
        remedy: expect.stringContaining(
          'aws rds restore-db-instance-from-db-snapshot --region eu-central-1 --db-snapshot-identifier lockstep-shop-1 --db-instance-identifier <new name>',
        ),
      },
    })
    await expect(perform(await lockstep(), { action: 'restore', uri: cluster })).rejects.toMatchObject({
      report: {
        remedy: expect.stringContaining(
          'aws rds restore-db-cluster-from-snapshot --region eu-central-1 --snapshot-identifier lockstep-shop-1',
        ),
      },
    })
  })
})

function soleSnapshot(rds: TestRds) {
  const [snapshot] = rds.snapshots()
  if (snapshot === undefined) throw new Error('RDS keeps no snapshot')
  return snapshot
}
