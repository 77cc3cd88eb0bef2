import { describe, expect, it } from 'vitest'
import { systemClock } from '../../../lambda/adapters/clock.ts'
import type { EngineContext } from '../../../lambda/engine/context.ts'
import { deploy, undoCreation, type DeployRequest } from '../../../lambda/engine/deployment/deploy.ts'
import { migrateUp } from '../../../lambda/engine/run/migrate.ts'
import type { Migration } from '../../../lambda/engine/migration/migration.ts'
import { createDatabase } from '../../support/database.ts'
import { engineFor, fileOf, sql } from '../../support/engine.ts'
import { until } from '../../support/wait.ts'

const a = sql('1_a', 'CREATE TABLE a (id int);', 'DROP TABLE a;')
const b = sql('2_b', 'CREATE TABLE b (id int);', 'DROP TABLE b;')
const c = sql('3_c', 'CREATE TABLE c (id int);')
let requests = 0

function request(migrations: readonly Migration[], target: string, previousTarget: string | null): DeployRequest {
  requests += 1
  return {
    migrations,
    target,
    previousTarget,
    resource: 'stack/resource',
    onRollback: 'revert',
    requestId: `r-${requests}`,
    stackStatus: async () => null,
  }
}

async function deployed() {
  const database = await createDatabase()
  const engine = engineFor(database, { trigger: 'deployment' })
  expect(await deploy(engine, request([a], 'v1', null))).toMatchObject({ applied: ['1_a'] })
  return { database, engine }
}

describe('deploy', () => {
  it('takes back what the failed deployment applied, with the old files', async () => {
    const { database, engine } = await deployed()
    await deploy(engine, request([a, b], 'v2', 'v1'))
    const result = await deploy(engine, request([a], 'v1', 'v2'))
    expect(result).toMatchObject({ status: 'succeeded', action: 'down', reverted: ['2_b'], current: '1_a' })
    expect(await database.rows("SELECT to_regclass('b') AS b")).toEqual([{ b: null }])
  })

  it('keeps what an older deployment applied, and says that the database is ahead', async () => {
    const { engine } = await deployed()
    await migrateUp(engine, { migrations: [a, b] })
    const result = await deploy(engine, request([a], 'v1', 'v2'))
    expect(result).toMatchObject({ status: 'succeeded', reverted: [], current: '2_b' })
    expect(result.warnings).toEqual(['The database is ahead of the files: 2_b is applied and has no file; it is kept.'])
  })

  it('applies nothing that the event does not mean: the code is that of another deployment', async () => {
    const { database, engine } = await deployed()
    const reversal = { ...request([a, b], 'v1', 'v2'), bundle: 'v2' }
    await expect(deploy(engine, reversal)).rejects.toMatchObject({ report: { code: 'EVENT_INVALID' } })
    expect(await database.rows("SELECT to_regclass('b') AS b")).toEqual([{ b: null }])
    expect(await deploy(engine, { ...reversal, target: 'v2' })).toMatchObject({ applied: ['2_b'] })
  })

  it('takes a return after four hours for an intentional one, and keeps', async () => {
    const { engine } = await deployed()
    await deploy(engine, request([a, b], 'v2', 'v1'))
    const later = { ...systemClock, now: () => new Date(Date.now() + 5 * 3_600_000) }
    expect(await deploy({ ...engine, clock: later }, request([a], 'v1', 'v2'))).toMatchObject({
      reverted: [],
      current: '2_b',
    })
  })

  it('does not take the run of another resource for its own', async () => {
    const { engine } = await deployed()
    await deploy(engine, { ...request([a, b], 'v2', 'v1'), resource: 'other/resource' })
    expect(await deploy(engine, request([a], 'v1', 'v2'))).toMatchObject({ reverted: [], current: '2_b' })
  })

  it("keeps everything with onRollback 'keep'", async () => {
    const { engine } = await deployed()
    await deploy(engine, request([a, b], 'v2', 'v1'))
    const result = await deploy(engine, { ...request([a], 'v1', 'v2'), onRollback: 'keep' })
    expect(result).toMatchObject({ status: 'succeeded', reverted: [], current: '2_b' })
    expect(result.warnings[0]).toContain("onRollback is 'keep'")
  })

  it.each([
    ['a rollback', 'UPDATE_ROLLBACK_IN_PROGRESS', 'keep'],
    ['a deployment of older code', 'UPDATE_IN_PROGRESS', 'revert'],
  ] as const)('leaves what %s kept to the rollback of no later deployment', async (_, status, onRollback) => {
    const { engine } = await deployed()
    await deploy(engine, request([a, b], 'v2', 'v1'))
    const back = { ...request([a], 'v1', 'v2'), onRollback, stackStatus: async () => status }
    expect(await deploy(engine, back)).toMatchObject({ status: 'succeeded', reverted: [], current: '2_b' })
    // Forward again: nothing is to be applied, so that what is rolled back then has applied nothing.
    expect(await deploy(engine, request([a, b], 'v2', 'v1'))).toMatchObject({ applied: [] })
    const rollback = { ...request([a], 'v1', 'v2'), stackStatus: async () => 'UPDATE_ROLLBACK_IN_PROGRESS' }
    expect(await deploy(engine, rollback)).toMatchObject({ status: 'succeeded', reverted: [], current: '2_b' })
  })

  it('believes CloudFormation more than the clock', async () => {
    const [{ engine }, { engine: other }] = [await deployed(), await deployed()]
    await deploy(engine, request([a, b], 'v2', 'v1'))
    await deploy(other, request([a, b], 'v2', 'v1'))
    const later = { ...other, clock: { ...systemClock, now: () => new Date(Date.now() + 5 * 3_600_000) } }
    const asked = (status: string) => ({ ...request([a], 'v1', 'v2'), stackStatus: async () => status })
    expect(await deploy(engine, asked('UPDATE_IN_PROGRESS'))).toMatchObject({ reverted: [], current: '2_b' })
    expect(await deploy(later, asked('UPDATE_ROLLBACK_IN_PROGRESS'))).toMatchObject({
      reverted: ['2_b'],
      current: '1_a',
    })
  })

  it('goes on with a rollback that failed before', async () => {
    const { database, engine } = await deployed()
    const broken = sql('2_b', 'CREATE TABLE b (id int);', 'DROP TABLE b; DROP TABLE missing;')
    await deploy(engine, request([a, broken], 'v2', 'v1'))
    expect(await deploy(engine, request([a], 'v1', 'v2'))).toMatchObject({ status: 'failed', current: '2_b' })
    await database.rows('CREATE TABLE missing (id int)')
    expect(await deploy(engine, request([a], 'v1', 'v2'))).toMatchObject({ status: 'succeeded', reverted: ['2_b'] })
  })

  it('keeps everything, and succeeds, when a part is irreversible', async () => {
    const { engine } = await deployed()
    await deploy(engine, request([a, b, c], 'v2', 'v1'))
    const result = await deploy(engine, request([a], 'v1', 'v2'))
    expect(result).toMatchObject({ status: 'succeeded', reverted: [], current: '3_c' })
    expect(result.warnings[0]).toContain('3_c cannot be reverted: it has no down')
  })

  it('fails when a down fails, with the database as it was', async () => {
    const { engine } = await deployed()
    await deploy(engine, request([a, sql('2_b', 'CREATE TABLE b (id int);', 'DROP TABLE bb;')], 'v2', 'v1'))
    const result = await deploy(engine, request([a], 'v1', 'v2'))
    expect(result).toMatchObject({
      status: 'failed',
      rolledBack: true,
      error: { code: 'MIGRATION_FAILED', migration: '2_b' },
    })
  })

  it('goes forward only with a snapshot, and back without one when none can be had', async () => {
    const { engine } = await deployed()
    const denied = { takeSnapshot: () => Promise.reject(new Error('AccessDenied')) }
    expect(await deploy(engine, { ...request([a, b], 'v2', 'v1'), ...denied })).toMatchObject({
      status: 'failed',
      rolledBack: true,
    })
    await deploy(engine, request([a, b], 'v2', 'v1'))
    expect(await deploy(engine, { ...request([a], 'v1', 'v2'), ...denied })).toMatchObject({
      status: 'succeeded',
      reverted: ['2_b'],
      snapshot: null,
    })
  })

  it('succeeds when the failed deployment left nothing to take back', async () => {
    const { engine } = await deployed()
    expect(
      await deploy(engine, request([a, fileOf('2_x', '-- migrate:up\nSELECT nothing;')], 'v2', 'v1')),
    ).toMatchObject({ status: 'failed', rolledBack: true })
    expect(await deploy(engine, request([a], 'v1', 'v2'))).toMatchObject({
      status: 'succeeded',
      runId: null,
      reverted: [],
    })
  })

  it('applies what is pending on a rollback that has nothing to take back', async () => {
    const { engine } = await deployed()
    expect(await deploy(engine, request([a, b], 'v3', 'v1'))).toMatchObject({ applied: ['2_b'] })
  })
})

const hurried = (engine: EngineContext): EngineContext => ({ ...engine, shouldPause: () => true })
const takeSnapshot = async (): Promise<string> => 'file:///snapshot'

describe('a deployment that takes several invocations', () => {
  const undo = {
    migrations: [a, b],
    resource: 'stack/resource',
    target: 'v1',
    requestType: 'Create',
    onRollback: 'revert',
    requestId: 'delete',
  } as const

  it('is not continued once the rollback of its creation has come in between', async () => {
    const database = await createDatabase()
    const engine = engineFor(database, { trigger: 'deployment' })
    const create = { ...request([a, b], 'v1', null), details: { requestType: 'Create' } }
    expect(await deploy(hurried(engine), create)).toMatchObject({ status: 'paused', applied: ['1_a'] })
    expect(await undoCreation(engine, undo)).toMatchObject({ status: 'succeeded', reverted: ['1_a'] })
    await expect(deploy(engine, create)).rejects.toMatchObject({ report: { code: 'INTERRUPTED' } })
    expect(await database.rows("SELECT to_regclass('a') AS a, to_regclass('b') AS b")).toEqual([{ a: null, b: null }])
  })

  it('is not continued either when it had only taken its snapshot', async () => {
    const database = await createDatabase()
    const engine = engineFor(database, { trigger: 'deployment' })
    const create = { ...request([a, b], 'v1', null), takeSnapshot, details: { requestType: 'Create' } }
    expect(await deploy(hurried(engine), create)).toMatchObject({ status: 'paused', applied: [] })
    expect(await undoCreation(engine, undo)).toMatchObject({ status: 'succeeded', reverted: [] })
    await expect(deploy(engine, create)).rejects.toMatchObject({ report: { code: 'INTERRUPTED' } })
  })

  it('is taken back whole by the rollback of an update, in several invocations, too', async () => {
    const { database, engine } = await deployed()
    const third = sql('3_c', 'CREATE TABLE c (id int);', 'DROP TABLE c;')
    const update = request([a, b, third], 'v2', 'v1')
    expect(await deploy(hurried(engine), update)).toMatchObject({ status: 'paused' })
    expect(await deploy(hurried(engine), update)).toMatchObject({ status: 'succeeded', applied: ['2_b', '3_c'] })
    const rollback = request([a], 'v1', 'v2')
    expect(await deploy(hurried(engine), rollback)).toMatchObject({ status: 'paused', reverted: ['3_c'] })
    expect(await deploy(hurried(engine), rollback)).toMatchObject({ status: 'succeeded', reverted: ['3_c', '2_b'] })
    expect(await database.rows("SELECT to_regclass('b') AS b, to_regclass('c') AS c")).toEqual([{ b: null, c: null }])
  })
})

describe('the rollback of a creation', () => {
  const undo = { migrations: [a], resource: 'stack/resource', onRollback: 'revert', requestType: 'Create' } as const

  it('keeps what another operation has created', async () => {
    const database = await createDatabase()
    const engine = engineFor(database, { trigger: 'deployment' })
    await deploy(engine, { ...request([a], 'v1', null), details: { requestType: 'Create' } })
    const other = await undoCreation(engine, { ...undo, target: 'v2', requestId: 'delete' })
    expect(other).toMatchObject({ status: 'succeeded', reverted: [] })
    const replaced = await undoCreation(engine, { ...undo, target: 'v1', requestType: 'Update', requestId: 'delete' })
    expect(replaced).toMatchObject({ status: 'succeeded', reverted: [] })
    const own = await undoCreation(engine, { ...undo, target: 'v1', requestId: 'delete' })
    expect(own).toMatchObject({ status: 'succeeded', reverted: ['1_a'] })
  })
})

describe('a rollback that comes while its deployment is still at work', () => {
  const slow = sql('3_slow', 'SELECT pg_sleep(60);', 'SELECT 1;')
  const rollback = { stackStatus: async () => 'UPDATE_ROLLBACK_IN_PROGRESS' }

  it('ends it, and whichever has the lock first takes back what it had committed', async () => {
    const { database, engine } = await deployed()
    const each = { ...engine, scope: 'migration' as const }
    const forward = deploy(each, request([a, b, slow], 'v2', 'v1'))
    await until(async () => (await database.rows("SELECT to_regclass('b') AS b"))[0]?.b === 'b')
    const result = await deploy({ ...engine, lockTimeoutMs: 0 }, { ...request([a], 'v1', 'v2'), ...rollback })
    expect(result).toMatchObject({ status: 'succeeded', current: '1_a' })
    expect(await forward).toMatchObject({ status: 'failed', applied: [], rolledBack: true })
    expect(await database.rows("SELECT to_regclass('b') AS b")).toEqual([{ b: null }])
  })

  it('waits for the run of another resource', async () => {
    const { database, engine } = await deployed()
    const other = deploy(engine, { ...request([a, sql('2_o', 'SELECT pg_sleep(2);')], 'v9', 'v1'), resource: 'other' })
    await until(async () => (await database.rows("SELECT 1 FROM pg_stat_activity WHERE query ~ 'pg_sleep'")).length > 1)
    const result = await deploy({ ...engine, lockTimeoutMs: 0 }, { ...request([a], 'v1', 'v2'), ...rollback })
    expect([await other, result]).toMatchObject([{ status: 'succeeded' }, { status: 'succeeded', reverted: [] }])
  })
})
