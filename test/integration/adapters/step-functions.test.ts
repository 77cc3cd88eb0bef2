import { SFNClient } from '@aws-sdk/client-sfn'
import { expect, onTestFinished, test } from 'vitest'
import { createExecutions } from '../../../lambda/adapters/step-functions.ts'
import type { Executions } from '../../../lambda/snapshot/distributed/executions.ts'
import { AWS, arn } from '../../support/aws.ts'
import { startLambda } from '../../support/lambda/service.ts'
import { startStepFunctions } from '../../support/step-functions/service.ts'

const WAITS = { StartAt: 'Wait', States: { Wait: { Type: 'Wait', Seconds: 3600, End: true } } }
const FAILS = { StartAt: 'Fail', States: { Fail: { Type: 'Fail', Error: 'Broken', Cause: 'by hand' } } }

async function executionsOf(definition: object): Promise<Executions> {
  const lambda = await startLambda()
  const service = await startStepFunctions(lambda)
  const client = new SFNClient({
    endpoint: service.endpoint,
    region: AWS.region,
    maxAttempts: 1,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  })
  onTestFinished(async () => {
    client.destroy()
    await service.stop()
    await lambda.stop()
  })
  return createExecutions(client, service.put('Copy', JSON.stringify(definition)))
}

test('an execution is begun once, found by its name, and stopped', async () => {
  const executions = await executionsOf(WAITS)
  expect(await executions.find('run-1-1')).toBeNull()
  await executions.start('run-1-1', '{"prefix":"p"}')
  await executions.start('run-1-1', '{"prefix":"another"}')
  expect(await executions.find('run-1-1')).toEqual({ status: 'running', input: '{"prefix":"p"}', cause: null })
  await executions.stop('run-1-1', 'x'.repeat(5000))
  expect(await executions.find('run-1-1')).toMatchObject({ status: 'failed' })
})

test('an execution that failed says of what', async () => {
  const executions = await executionsOf(FAILS)
  await executions.start('run-1-1', '{}')
  await expect.poll(() => executions.find('run-1-1')).toMatchObject({ status: 'failed', cause: 'Broken: by hand' })
})

test('a state machine that was deleted, and no route to the service, are told with what to do', async () => {
  const { endpoint, ...settings } = { endpoint: 'http://127.0.0.1:9', region: AWS.region, maxAttempts: 1 }
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
  const unreachable = createExecutions(
    new SFNClient({ ...settings, endpoint, credentials }),
    arn('states', 'stateMachine:Copy'),
  )
  await expect(unreachable.find('run-1-1')).rejects.toMatchObject({
    message: expect.stringMatching(/^cannot look for the execution .*ECONNREFUSED/),
    remedy: expect.stringContaining('VPC endpoint com.amazonaws.<region>.states'),
  })
  const lambda = await startLambda()
  const service = await startStepFunctions(lambda)
  onTestFinished(async () => {
    await service.stop()
    await lambda.stop()
  })
  const gone = createExecutions(
    new SFNClient({ ...settings, endpoint: service.endpoint, credentials }),
    arn('states', 'stateMachine:Gone'),
  )
  await expect(gone.start('run-1-1', '{}')).rejects.toMatchObject({
    remedy: 'Deploy the stack again: its state machine was deleted.',
  })
})
