import { expect, test } from 'vitest'
import type { ResourceResponse } from '../support/cloudformation/event.ts'
import type { Deployment } from '../support/cloudformation/stack-types.ts'
import { schemaOf } from '../support/schema.ts'
import { startCloud, type Cloud } from './cloud.ts'
import { idsOf, synthesizedSets } from './migration-sets.ts'

const assembly = synthesizedSets('old', 'new', 'failing')

function story({ responses }: Deployment): readonly string[] {
  return responses.map(({ event, status }) => `${event.RequestType} ${status}`)
}

async function appliedIn({ database }: Cloud): Promise<readonly unknown[]> {
  const rows = await database.rows('SELECT id FROM lockstep.migrations ORDER BY position')
  return rows.map(({ id }) => id)
}

async function runsIn({ database }: Cloud): Promise<readonly unknown[]> {
  const rows = await database.rows('SELECT trigger, action, status, request_id FROM lockstep.runs ORDER BY started_at')
  return rows.map(({ trigger, action, status }) => `${String(trigger)} ${String(action)} ${String(status)}`)
}

function firstOf(deployment: Deployment): ResourceResponse {
  const [response] = deployment.responses
  if (response === undefined) throw new Error('The deployment called no custom resource')
  return response
}

test('a deployment migrates, the next one migrates further, and a failing one leaves everything as it was', async () => {
  const cloud = await startCloud({ snapshots: true })

  const creation = await cloud.stack.deploy(assembly('old'))
  expect(creation).toMatchObject({ stackStatus: 'CREATE_COMPLETE', reason: undefined })
  expect(firstOf(creation)).toMatchObject({
    status: 'SUCCESS',
    physicalId: 'lockstep:default',
    data: { Status: 'succeeded', Current: idsOf('old').at(-1), Applied: String(idsOf('old').length) },
  })
  expect(await appliedIn(cloud)).toEqual(idsOf('old'))

  const update = await cloud.stack.deploy(assembly('new'))
  expect(story(update)).toEqual(['Update SUCCESS'])
  expect(firstOf(update).data).toMatchObject({ Current: idsOf('new').at(-1), Applied: '2' })
  expect(firstOf(update).data['Snapshot']).toMatch(/^s3:\/\/shop-snapshots\/lockstep\/Shop\/default\//)
  expect(await cloud.database.rows('SELECT count(*)::int FROM order_counts')).toEqual([{ count: 3 }])

  const schema = await schemaOf(cloud.database)
  const failure = await cloud.stack.deploy(assembly('failing'))
  expect(failure.stackStatus).toBe('UPDATE_ROLLBACK_COMPLETE')
  expect(story(failure)).toEqual(['Update FAILED', 'Update SUCCESS'])
  expect(await schemaOf(cloud.database)).toBe(schema)
  expect(await appliedIn(cloud)).toEqual(idsOf('new'))
})

test('the reason of a failure names the migration, the SQL error, the state of the database and the remedy', async () => {
  const cloud = await startCloud()
  await cloud.stack.deploy(assembly('new'))
  const { bytes, reason } = firstOf(await cloud.stack.deploy(assembly('failing')))
  expect(bytes).toBeLessThan(4096)
  expect(reason).toContain('MIGRATION_FAILED')
  expect(reason).toContain('20260106000000_rename_name.sql, line 4')
  expect(reason).toContain('column "nam" does not exist (SQLSTATE 42703)')
  expect(reason).toMatch(/as it was before/i)
  expect(reason).toMatch(/correct .*20260106000000_rename_name/i)
  expect(reason).not.toMatch(/^\s+at /m)
})

test('a later resource fails: the old bundle reverts the new migrations from the sources in the history', async () => {
  const cloud = await startCloud({ snapshots: true })
  await cloud.stack.deploy(assembly('old'))
  const schema = await schemaOf(cloud.database)
  const deployment = await cloud.stack.deploy(assembly('new'), { failLater: true })
  expect(deployment.stackStatus).toBe('UPDATE_ROLLBACK_COMPLETE')
  expect(story(deployment)).toEqual(['Update SUCCESS', 'Update SUCCESS'])
  expect(deployment.responses[0]?.data).toMatchObject({ Applied: '2' })
  expect(deployment.responses[1]?.data).toMatchObject({ Reverted: '2', Current: idsOf('old').at(-1) })
  expect(await schemaOf(cloud.database)).toBe(schema)
  expect(await appliedIn(cloud)).toEqual(idsOf('old'))

  const again = await cloud.stack.deploy(assembly('new'))
  expect([again.stackStatus, await appliedIn(cloud)]).toEqual(['UPDATE_COMPLETE', idsOf('new')])
})

test('a failure after a committed segment reverts what the run had applied', async () => {
  const cloud = await startCloud()
  await cloud.stack.deploy(assembly('old'))
  const schema = await schemaOf(cloud.database)
  const deployment = await cloud.stack.deploy(assembly('failing'))
  expect(deployment.stackStatus).toBe('UPDATE_ROLLBACK_COMPLETE')
  expect(deployment.reason).toContain('column "nam" does not exist')
  expect(await schemaOf(cloud.database)).toBe(schema)
  expect(await appliedIn(cloud)).toEqual(idsOf('old'))
})

test('a creation that fails leaves an empty database empty', async () => {
  const cloud = await startCloud()
  const deployment = await cloud.stack.deploy(assembly('failing'))
  expect(deployment.stackStatus).toBe('ROLLBACK_COMPLETE')
  expect(story(deployment)).toEqual(['Create FAILED', 'Delete SUCCESS'])
  expect(await cloud.database.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).toEqual([])
  expect((await cloud.stack.deploy(assembly('new'))).stackStatus).toBe('CREATE_COMPLETE')
})

test.each(['twice-in-a-row', 'twice-at-once'] as const)(
  'an event that arrives %s migrates once and gets equal answers',
  async (delivery) => {
    const cloud = await startCloud()
    await cloud.stack.deploy(assembly('old'))
    const { stackStatus, responses } = await cloud.stack.deploy(assembly('new'), { delivery })
    expect(stackStatus).toBe('UPDATE_COMPLETE')
    expect(responses.map(({ status }) => status)).toEqual(['SUCCESS', 'SUCCESS'])
    expect(responses[1]).toEqual(responses[0])
    expect(await appliedIn(cloud)).toEqual(idsOf('new'))
    expect(await runsIn(cloud)).toEqual(['deployment up succeeded', 'deployment up succeeded'])
  },
)

test('a failing event that arrives twice fails equally', async () => {
  const cloud = await startCloud()
  await cloud.stack.deploy(assembly('new'))
  const { responses } = await cloud.stack.deploy(assembly('failing'), { delivery: 'twice-in-a-row' })
  const [first, second] = responses
  expect(first?.status).toBe('FAILED')
  expect(second).toEqual(first)
})

test('a connection of the framework that is lost makes it ask again, and migrates once', async () => {
  const cloud = await startCloud()
  await cloud.stack.deploy(assembly('old'))
  const migrating = cloud.lambda.invocations().find(({ functionName }) => !functionName.includes('framework'))
  cloud.lambda.dropConnections(migrating?.functionName ?? '', 1)
  const update = await cloud.stack.deploy(assembly('new'))
  expect([update.stackStatus, firstOf(update).data['Applied']]).toEqual(['UPDATE_COMPLETE', '2'])
  expect(await runsIn(cloud)).toHaveLength(2)
})

test('deletion of the stack leaves the database alone', async () => {
  const cloud = await startCloud()
  await cloud.stack.deploy(assembly('new'))
  const schema = await schemaOf(cloud.database)
  expect((await cloud.stack.remove()).stackStatus).toBe('DELETE_COMPLETE')
  expect(await schemaOf(cloud.database)).toBe(schema)
})

test('a deployment that changes no migration does not call the function', async () => {
  const cloud = await startCloud()
  await cloud.stack.deploy(assembly('new'))
  const again = await cloud.stack.deploy(assembly('new'))
  expect([again.stackStatus, again.responses]).toEqual(['UPDATE_COMPLETE', []])
})
