import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn'
import { App, CustomResource, Duration, Stack } from 'aws-cdk-lib'
import { Code, Function, Runtime } from 'aws-cdk-lib/aws-lambda'
import { Provider } from 'aws-cdk-lib/custom-resources'
import { expect, onTestFinished, test } from 'vitest'
import { readAssembly, type Assembly } from '../../support/cloudformation/assembly.ts'
import { startCloudFormation } from '../../support/cloudformation/service.ts'
import type { Stack as TestStack } from '../../support/cloudformation/stack-types.ts'
import { startLambda, type LambdaService } from '../../support/lambda/service.ts'
import { writeFiles } from '../../support/source-files.ts'
import { startStepFunctions, type StepFunctions } from '../../support/step-functions/service.ts'

interface Setup {
  readonly stack: TestStack
  readonly lambda: LambdaService
  readonly stepFunctions: StepFunctions
}

async function setup(): Promise<Setup> {
  const lambda = await startLambda()
  const stepFunctions = await startStepFunctions(lambda, { timeScale: 0.02 })
  const cloudFormation = await startCloudFormation(lambda, { stepFunctions })
  lambda.connect({ CLOUDFORMATION: cloudFormation.endpoint, SFN: stepFunctions.endpoint })
  onTestFinished(async () => {
    await stepFunctions.stop()
    await lambda.stop()
    await cloudFormation.stop()
  })
  return { stack: cloudFormation.createStack({ name: 'Waiting' }), lambda, stepFunctions }
}

/** A stack with a custom resource that is done when `isComplete(event, calls)` says so; polled six times at most. */
async function waitingAssembly(
  isComplete: string,
  properties: Readonly<Record<string, string>> = {},
): Promise<Assembly> {
  const source = `
    let calls = 0
    export async function onEvent(event) {
      const id = event.RequestType === 'Delete' ? event.PhysicalResourceId : event.ResourceProperties.id ?? 'waiting'
      return { PhysicalResourceId: id, Data: { from: 'onEvent', started: event.RequestType }, Note: 'passed on' }
    }
    export async function isComplete(event) { calls += 1; ${isComplete} }
  `
  const code = Code.fromAsset(await writeFiles({ 'index.mjs': source }))
  const outdir = await writeFiles({})
  const stack = new Stack(new App({ outdir, analyticsReporting: false }), 'Waiting')
  const fn = (handler: string): Function =>
    new Function(stack, handler, { code, runtime: Runtime.NODEJS_24_X, handler: `index.${handler}` })
  const { serviceToken } = new Provider(stack, 'Provider', {
    onEventHandler: fn('onEvent'),
    isCompleteHandler: fn('isComplete'),
    queryInterval: Duration.seconds(5),
    totalTimeout: Duration.seconds(30),
  })
  const resource = new CustomResource(stack, 'Resource', { serviceToken, resourceType: 'Custom::Waiting', properties })
  stack.exportValue(resource.getAtt('from'), { name: 'From' })
  stack.exportValue(resource.getAtt('started'), { name: 'Started' })
  const app = stack.node.root as App
  app.synth()
  return readAssembly(outdir)
}

test('a resource that is complete at the third question succeeds with the data of both handlers', async () => {
  const { stack, lambda, stepFunctions } = await setup()
  const deployment = await stack.deploy(
    await waitingAssembly(`
      console.log('ASKED ' + event.Note + ' ' + event.PhysicalResourceId)
      return calls < 3 ? { IsComplete: false } : { IsComplete: true, Data: { from: 'isComplete' } }
    `),
  )
  expect(deployment).toMatchObject({
    stackStatus: 'CREATE_COMPLETE',
    outputs: { ExportFrom: 'isComplete', ExportStarted: 'Create' },
  })
  expect((await lambda.logs()).match(/ASKED passed on waiting/g)).toHaveLength(3)
  expect(stepFunctions.executions()).toMatchObject([{ input: { RequestType: 'Create' }, result: { ok: true } }])
})

test('a question that fails, fails the resource at once', async () => {
  const { stack, lambda } = await setup()
  const deployment = await stack.deploy(
    await waitingAssembly("if (event.RequestType === 'Create') throw new Error('broken'); return { IsComplete: true }"),
  )
  expect(deployment.stackStatus).toBe('ROLLBACK_COMPLETE')
  expect(deployment.reason).toContain('broken')
  const asked = lambda
    .invocations()
    .filter(({ functionName, event }) => /isComplete/.test(functionName) && /"Create"/.test(event))
  expect(asked.filter(({ functionName }) => !functionName.includes('framework'))).toHaveLength(1)
})

test('a resource that is never complete times out by the waiter', async () => {
  const { stack } = await setup()
  const assembly = await waitingAssembly("return { IsComplete: event.RequestType === 'Delete' }")
  const deployment = await stack.deploy(assembly)
  expect(deployment.responses.map(({ event, status, reason }) => [event.RequestType, status, reason])).toEqual([
    ['Create', 'FAILED', 'Operation timed out'],
    ['Delete', 'SUCCESS', 'SUCCESS'],
  ])
  expect(deployment.responses[1]?.event.PhysicalResourceId).toBe('waiting')
})

test('an update that fails under another id made something new: that is deleted, and nothing is updated back', async () => {
  const { stack } = await setup()
  const isComplete =
    "if (event.ResourceProperties.fails === 'yes' && event.RequestType === 'Update') throw new Error('no'); return { IsComplete: true }"
  await stack.deploy(await waitingAssembly(isComplete, { id: 'first' }))
  const { stackStatus, responses } = await stack.deploy(
    await waitingAssembly(isComplete, { id: 'second', fails: 'yes' }),
  )
  expect([
    stackStatus,
    responses.map(({ event, status }) => [event.RequestType, event.PhysicalResourceId, status]),
  ]).toEqual([
    'UPDATE_ROLLBACK_COMPLETE',
    [
      ['Update', 'first', 'FAILED'],
      ['Delete', 'second', 'SUCCESS'],
    ],
  ])
})

test('a waiter goes on after its update was cancelled', async () => {
  const { stack, stepFunctions } = await setup()
  const isComplete = "return { IsComplete: event.ResourceProperties.slow !== 'yes' }"
  await stack.deploy(await waitingAssembly(isComplete))
  const running = stack.deploy(await waitingAssembly(isComplete, { slow: 'yes' }), {
    failMeanwhile: async () => {
      while (stepFunctions.executions().length < 2) await new Promise((resolve) => setTimeout(resolve, 10))
    },
  })
  const { stackStatus, responses } = await running
  expect([stackStatus, responses.map(({ status }) => status)]).toEqual([
    'UPDATE_ROLLBACK_COMPLETE',
    ['CANCELLED', 'SUCCESS'],
  ])
  const states = (): readonly unknown[] => stepFunctions.executions().map(({ result }) => result?.ok)
  expect(states()).toEqual([true, undefined, true])
  await stack.settled()
  expect(states()).toEqual([true, true, true])
})

test('a state machine that is not there, and input that is no JSON, are refused', async () => {
  const { stepFunctions } = await setup()
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' }
  const client = new SFNClient({ endpoint: stepFunctions.endpoint, region: 'eu-central-1', credentials })
  onTestFinished(() => client.destroy())
  const start = (stateMachineArn: string, input: string): Promise<unknown> =>
    client.send(new StartExecutionCommand({ stateMachineArn, input }))
  const missing = 'arn:aws:states:eu-central-1:111122223333:stateMachine:none'
  await expect(start(missing, '{}')).rejects.toMatchObject({ name: 'StateMachineDoesNotExist' })
  const definition = {
    StartAt: 'a',
    States: { a: { Type: 'Task', Resource: 'arn:aws:lambda:::function:x', End: true } },
  }
  const arn = stepFunctions.put('there', JSON.stringify(definition))
  await expect(start(arn, 'text')).rejects.toMatchObject({ name: 'InvalidExecutionInput' })
  await start(arn, '{}')
  await stepFunctions.settled()
  expect(stepFunctions.executions()).toMatchObject([{ result: { error: 'Lambda.ResourceNotFoundException' } }])
})
