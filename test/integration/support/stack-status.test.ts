import { rm } from 'node:fs/promises'
import { CloudFormationClient, DescribeStacksCommand, type Stack as Described } from '@aws-sdk/client-cloudformation'
import { expect, onTestFinished, test } from 'vitest'
import { exampleAssembly } from './example-assembly.ts'
import { exampleStack, gate, linesOf, v1, v2, type ExampleStack } from './example-stack.ts'
import { until } from '../../support/wait.ts'

type Describe = (name: string, signal?: AbortSignal) => Promise<Described | undefined>

function describer({ cloudFormation }: ExampleStack): Describe {
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' }
  const client = new CloudFormationClient({
    endpoint: cloudFormation.endpoint,
    region: 'eu-central-1',
    credentials,
    maxAttempts: 1,
  })
  onTestFinished(() => client.destroy())
  return async (StackName, abortSignal) => {
    const command = new DescribeStacksCommand({ StackName })
    return (await client.send(command, abortSignal === undefined ? {} : { abortSignal })).Stacks?.[0]
  }
}

/** Asks for the status on every call of the function, and writes it to the log beside the event. */
const REPORTER = `
  const ask = async () => {
    const body = new URLSearchParams({ Action: 'DescribeStacks', StackName: event.StackId })
    const answer = await fetch(process.env.AWS_ENDPOINT_URL_CLOUDFORMATION, { method: 'POST', body })
    return /<StackStatus>(.*?)</.exec(await answer.text())[1]
  }
  console.log('SAW ' + event.RequestType + ' ' + (await ask()))
  const { target, outcome } = event.ResourceProperties
  if (outcome === 'throw') throw new Error('no')
  return { PhysicalResourceId: event.RequestType === 'Delete' ? event.PhysicalResourceId : target }
`

async function seenBy({ lambda }: ExampleStack): Promise<readonly string[]> {
  return [...(await lambda.logs()).matchAll(/^SAW (.*)$/gm)].map(([, seen]) => seen ?? '')
}

test('a function sees the status of its stack while each of its events is in work', async () => {
  const example = await exampleStack()
  const { stack, lambda, cloudFormation } = example
  lambda.connect({ CLOUDFORMATION: cloudFormation.endpoint })
  const body = REPORTER
  await stack.deploy(await exampleAssembly({ ...v1(), body }))
  await stack.deploy(await exampleAssembly({ ...v2(), body }))
  await stack.deploy(await exampleAssembly({ ...v2({ outcome: 'throw' }), body }))
  await stack.deploy(await exampleAssembly({ ...v1(), body }), { failLater: true })
  await stack.remove()
  await stack.deploy(await exampleAssembly({ ...v1(), body }), { failLater: true })
  expect(await seenBy(example)).toEqual([
    'Create CREATE_IN_PROGRESS',
    'Update UPDATE_IN_PROGRESS',
    'Delete UPDATE_COMPLETE_CLEANUP_IN_PROGRESS',
    'Update UPDATE_IN_PROGRESS',
    'Update UPDATE_ROLLBACK_IN_PROGRESS',
    'Update UPDATE_IN_PROGRESS',
    'Delete UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS',
    'Delete DELETE_IN_PROGRESS',
    'Create CREATE_IN_PROGRESS',
    'Delete ROLLBACK_IN_PROGRESS',
  ])
})

test('DescribeStacks tells an AWS client the status, by name and by id', async () => {
  const example = await exampleStack()
  const { stack } = example
  const describe = describer(example)
  const missing = { name: 'ValidationError', message: 'Stack with id Example does not exist' }
  await expect(describe('Example')).rejects.toMatchObject(missing)
  const held = await gate()
  const running = stack.deploy(await exampleAssembly({ ...v1(), body: held.body }))
  expect([stack.status(), (await describe(stack.id))?.StackStatus]).toEqual([
    'CREATE_IN_PROGRESS',
    'CREATE_IN_PROGRESS',
  ])
  await rm(held.file)
  await running
  expect(await describe('Example')).toMatchObject({
    StackId: stack.id,
    StackName: 'Example',
    StackStatus: 'CREATE_COMPLETE',
    CreationTime: expect.any(Date),
  })
})

test('a deleted stack is known by its id only, and the next one of its name has another', async () => {
  const example = await exampleStack()
  const { stack } = example
  const describe = describer(example)
  await stack.deploy(await exampleAssembly(v1({ outcome: 'throw' })))
  const { id } = stack
  expect(await describe('Example')).toMatchObject({ StackStatus: 'ROLLBACK_COMPLETE' })
  await stack.deploy(await exampleAssembly(v1()))
  expect(stack.id).not.toBe(id)
  expect((await describe(id))?.StackStatus).toBe('DELETE_COMPLETE')
  expect((await describe('Example'))?.StackId).toBe(stack.id)
})

test('DescribeStacks can be refused, and out of reach', async () => {
  const example = await exampleStack()
  const { stack, cloudFormation } = example
  const describe = describer(example)
  await stack.deploy(await exampleAssembly(v1()))
  cloudFormation.describe('denied')
  await expect(describe(stack.id)).rejects.toMatchObject({
    name: 'AccessDenied',
    message: expect.stringMatching(/is not authorized to perform: cloudformation:DescribeStacks/),
    $metadata: { httpStatusCode: 403 },
  })
  cloudFormation.describe('hangs')
  await expect(describe(stack.id, AbortSignal.timeout(300))).rejects.toMatchObject({ name: 'AbortError' })
  cloudFormation.describe('answers')
  expect((await describe(stack.id))?.StackStatus).toBe('CREATE_COMPLETE')
})

test('one operation at a time', async () => {
  const { stack, lambda } = await exampleStack()
  const held = await gate()
  const assembly = await exampleAssembly({ ...v1(), body: `console.log('Create on gate'); ${held.body}` })
  const running = stack.deploy(assembly)
  await until(async () => (await linesOf(lambda)).length === 1)
  await expect(stack.deploy(assembly)).rejects.toThrow('CREATE_IN_PROGRESS')
  await expect(stack.remove()).rejects.toThrow('CREATE_IN_PROGRESS')
  await rm(held.file)
  expect((await running).stackStatus).toBe('CREATE_COMPLETE')
  expect(() => stack.cancel()).toThrow('CREATE_COMPLETE')
})
