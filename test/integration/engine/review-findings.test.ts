import { describe, expect, it } from 'vitest'
import type { CustomResourceEvent } from '../../../lambda/custom-resource-event.ts'
import { isComplete, onEvent } from '../../../lambda/custom-resource.ts'
import { deploy, undoCreation, type DeployRequest } from '../../../lambda/engine/deployment/deploy.ts'
import { reportOf } from '../../../lambda/errors.ts'
import { createDatabase } from '../../support/database.ts'
import { engineFor, sql } from '../../support/engine.ts'
import { lockstepFor } from '../../support/lockstep.ts'
import { writeFiles } from '../../support/source-files.ts'
import { until } from '../../support/wait.ts'

const UNREACHABLE = 'postgres://nobody@127.0.0.1:1/nowhere'
const FILES = Object.fromEntries(
  ['1_a', '2_b', '3_c'].map((id) => [
    `${id}.sql`,
    `-- migrate:up\nCREATE TABLE t${id} (id int);\n-- migrate:down\nDROP TABLE t${id};\n`,
  ]),
)

const rollingBack = async (): Promise<string> => 'ROLLBACK_IN_PROGRESS'

function event(type: CustomResourceEvent['RequestType']): CustomResourceEvent {
  return {
    RequestType: type,
    RequestId: `request-${type}`,
    StackId: 'stack',
    LogicalResourceId: 'Migration',
    PhysicalResourceId: 'lockstep:default',
    ResourceProperties: { set: 'default', migrations: 'v1', settings: 's', heads: '' },
  }
}

describe('a run that may take several invocations', () => {
  it('is reverted whole by the one invocation that a Delete has', async () => {
    const database = await createDatabase()
    const lockstep = lockstepFor(database.url, await writeFiles(FILES))
    await onEvent(lockstep, event('Create'))
    const hurried = { ...lockstep, deadline: Date.now() + 3_600_000, shouldPause: () => true }
    const answer = await onEvent({ ...hurried, stackStatus: rollingBack }, event('Delete'))
    expect(answer.Continuation?.complete).toBe(true)
    expect(await database.rows('SELECT id FROM lockstep.migrations')).toEqual([])
  })

  it('is not said to have left the database untouched when a later invocation cannot reach it', async () => {
    const database = await createDatabase()
    const directory = await writeFiles(FILES)
    const continued = { deadline: Date.now() + 3_600_000, shouldPause: () => true }
    const create = event('Create')
    await onEvent({ ...lockstepFor(database.url, directory), ...continued }, create)
    expect(await database.rows('SELECT id FROM lockstep.migrations')).toEqual([{ id: '1_a' }])
    const lost = { ...lockstepFor(UNREACHABLE, directory), ...continued }
    const error: unknown = await isComplete(lost, create, { complete: false, deadline: continued.deadline }).catch(
      (thrown: unknown) => thrown,
    )
    expect(reportOf(error)).toMatchObject({ code: 'DATABASE_UNREACHABLE' })
    expect(reportOf(error).state).not.toContain('has not been touched')
  })
})

describe('an event that is delivered twice at once', () => {
  const a = sql('1_a', 'CREATE TABLE a (id int);', 'DROP TABLE a;')
  const slow = sql('2_slow', 'SELECT 1;', 'SELECT pg_sleep(2);')
  const request = (more: Partial<DeployRequest>): DeployRequest => ({
    migrations: [a],
    target: 'v1',
    previousTarget: 'v2',
    resource: 'stack/resource',
    onRollback: 'revert',
    stackStatus: async () => 'UPDATE_ROLLBACK_IN_PROGRESS',
    ...more,
  })
  const SLEEPING = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"

  it('does not end the rollback that its first delivery is at work on', async () => {
    const database = await createDatabase()
    const engine = engineFor(database, { trigger: 'deployment', lockTimeoutMs: 0 })
    const forward = { target: 'v2', previousTarget: null, stackStatus: async () => null }
    await deploy(engine, request({ ...forward, migrations: [a, slow], requestId: 'forward' }))
    const warnings: string[] = []
    const log = { ...engine.log, warn: (message: string) => void warnings.push(message) }
    const first = deploy({ ...engine, log }, request({ requestId: 'back' }))
    await until(async () => (await database.rows(SLEEPING)).length > 0)
    const second = deploy({ ...engine, log }, request({ requestId: 'back' }))
    const results = await Promise.all([first, second])
    expect(results.map((result) => [result.status, result.runId])).toEqual(
      results.map(() => ['succeeded', results[0]?.runId]),
    )
    expect(warnings).toEqual([])
  })

  it('waits for its first delivery as long as there is time', async () => {
    const database = await createDatabase()
    const engine = engineFor(database, { trigger: 'deployment', lockTimeoutMs: 0 })
    const slowUp = sql('2_slow', 'SELECT pg_sleep(2);')
    const forward = { migrations: [a, slowUp], target: 'v2', previousTarget: 'v1', requestId: 'forward' }
    const deliver = () => deploy(engine, request({ ...forward, stackStatus: async () => null }))
    await deploy(engine, request({ target: 'v1', previousTarget: null, requestId: 'create' }))
    const first = deliver()
    await until(async () => (await database.rows(SLEEPING)).length > 0)
    expect(await deliver()).toMatchObject({ status: 'succeeded', applied: ['2_slow'] })
    expect(await first).toMatchObject({ status: 'succeeded', applied: ['2_slow'] })
  })
})

describe('a creation that was taken back while it was paused', () => {
  it('is not continued, also when a run of another resource came in between', async () => {
    const database = await createDatabase()
    const engine = engineFor(database, { trigger: 'deployment' })
    const files = ['1_a', '2_b'].map((id) => sql(id, `CREATE TABLE t${id} (id int);`, `DROP TABLE t${id};`))
    const common = { onRollback: 'revert', stackStatus: async () => null, previousTarget: null } as const
    const create: DeployRequest = {
      ...common,
      migrations: files,
      target: 'v1',
      resource: 'one',
      requestId: 'create',
      details: { requestType: 'Create' },
    }
    const hurried = { ...engine, shouldPause: () => true }
    expect(await deploy(hurried, create)).toMatchObject({ status: 'paused', applied: ['1_a'] })
    const broken = { ...create, migrations: [...files, sql('3_x', 'SELECT nothing;')], target: 'v2', resource: 'other' }
    expect(await deploy(engine, { ...broken, requestId: 'other' })).toMatchObject({
      status: 'failed',
      rolledBack: true,
    })
    const undo = { ...create, requestType: 'Create', requestId: 'delete' } as const
    expect(await undoCreation(engine, undo)).toMatchObject({ status: 'succeeded', reverted: ['1_a'] })
    await expect(deploy(hurried, create)).rejects.toMatchObject({ report: { code: 'INTERRUPTED' } })
    expect(await database.rows('SELECT id FROM lockstep.migrations')).toEqual([])
  })
})
