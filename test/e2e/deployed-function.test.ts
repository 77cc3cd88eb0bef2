import { App, Stack } from 'aws-cdk-lib'
import { expect, test } from 'vitest'
import { DatabaseMigration } from '../../infra/index.ts'
import { readAssembly, type Assembly } from '../support/cloudformation/assembly.ts'
import { writeFiles } from '../support/source-files.ts'
import { startCloud, type Cloud } from './cloud.ts'
import { idsOf, synthesizedSets } from './migration-sets.ts'

const assembly = synthesizedSets('old', 'new')

async function ask(cloud: Cloud, event: unknown): Promise<{ readonly failed: boolean; readonly answer: unknown }> {
  const { outputs, reason } = await cloud.stack.deploy(assembly('old'))
  expect(reason).toBeUndefined()
  const { payload, functionError } = await cloud.lambda.invoke(String(outputs['FunctionName']), event)
  return { failed: functionError !== undefined, answer: JSON.parse(payload) as unknown }
}

/** The stack of an application that needs the database to have a migration. */
async function applicationRequiring(migration: string, serviceToken: string): Promise<Assembly> {
  const outdir = await writeFiles({})
  const app = new App({ outdir, analyticsReporting: false })
  DatabaseMigration.fromServiceToken(new Stack(app, 'Application'), 'Schema', { serviceToken, require: migration })
  app.synth()
  return readAssembly(outdir)
}

test('the deployed function tells a person its status', async () => {
  const cloud = await startCloud()
  expect(await ask(cloud, { action: 'status' })).toMatchObject({
    failed: false,
    answer: {
      database: cloud.database.name,
      set: 'default',
      current: idsOf('old').at(-1),
      head: idsOf('old').at(-1),
      applied: idsOf('old').length,
      pending: [],
      upToDate: true,
      lastRun: { action: 'up', trigger: 'deployment', status: 'succeeded' },
    },
  })
})

test('the deployed function takes a migration back for a person', async () => {
  const cloud = await startCloud()
  const { failed, answer } = await ask(cloud, { action: 'down', steps: 1 })
  expect({ failed, answer }).toMatchObject({ failed: false, answer: { reverted: [idsOf('old').at(-1)] } })
})

test.each([
  [{ action: 'migrate' }, /The action "migrate" is not known.*Known actions: init, status/],
  [{ action: 'status', steps: 2 }, /does not take "steps"/],
  [{}, /has no "action"/],
])('the deployed function answers %j with what it knows', async (event, message) => {
  const cloud = await startCloud()
  const { failed, answer } = await ask(cloud, event)
  expect({ failed, answer }).toMatchObject({
    failed: true,
    answer: { errorType: 'EVENT_INVALID', errorMessage: expect.stringMatching(message) },
  })
})

test('an application is not deployed before the database has the migration that it requires', async () => {
  const cloud = await startCloud()
  const { outputs, reason } = await cloud.stack.deploy(assembly('old'))
  expect(reason).toBeUndefined()
  const required = idsOf('new').at(-1) ?? ''
  const application = await applicationRequiring(required, String(outputs['ServiceToken']))
  const stack = cloud.cloudFormation.createStack({ name: 'Application' })

  const early = await stack.deploy(application)
  expect(early.stackStatus).toBe('ROLLBACK_COMPLETE')
  expect(early.reason).toMatch(new RegExp(`REQUIREMENT_NOT_MET: .*"${required}".*Deploy the stack that migrates`))

  await cloud.stack.deploy(assembly('new'))
  expect((await stack.deploy(application)).stackStatus).toBe('CREATE_COMPLETE')
})
