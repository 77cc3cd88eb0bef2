import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { FunctionDefinition } from '../../support/lambda/definition.ts'
import { writeFiles } from '../../support/source-files.ts'
import { exampleAssembly } from './example-assembly.ts'
import { BODY, exampleStack, linesOf, story, v1, v2 } from './example-stack.ts'

function withTimeout(timeoutSeconds: number, name: string): (definition: FunctionDefinition) => FunctionDefinition {
  return (definition) => (definition.name.startsWith(name) ? { ...definition, timeoutSeconds } : definition)
}

test('creation sends what CloudFormation sends, with every value a string, and returns the outputs', async () => {
  const { stack, received } = await exampleStack()
  const deployment = await stack.deploy(await exampleAssembly(v1({ count: 3, on: true, list: [1, { deep: false }] })))
  expect(deployment).toMatchObject({ stackStatus: 'CREATE_COMPLETE', outputs: { ExportVersion: 'v1' } })
  expect(received()).toEqual([
    {
      RequestType: 'Create',
      RequestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      ResponseURL: expect.stringMatching(/^https:\/\/cloudformation-custom-resource-response-eucentral1\.s3\./),
      StackId: stack.id,
      LogicalResourceId: 'Resource',
      ResourceType: 'Custom::Example',
      ServiceToken: expect.stringMatching(/^arn:aws:lambda:eu-central-1:111122223333:function:Example-Provider/),
      ResourceProperties: {
        ServiceToken: expect.any(String),
        target: 'one',
        outcome: 'succeed',
        count: '3',
        on: 'true',
        list: ['1', { deep: 'false' }],
      },
    },
  ])
})

test('a function has the environment of its template, with real names where the test gave them', async () => {
  const { stack, lambda } = await exampleStack()
  const body = 'console.log(process.env.BUCKET_NAME, process.env.AT); return { PhysicalResourceId: "e" }'
  await stack.deploy(await exampleAssembly({ ...v1(), body, withoutResource: false }))
  expect(await lambda.logs()).toContain('real-bucket eu-central-1/Example\n')
})

test('an update that changes nothing, or only code, does not call the function', async () => {
  const { stack, received } = await exampleStack()
  await stack.deploy(await exampleAssembly(v1()))
  const again = await stack.deploy(await exampleAssembly(v1()))
  const onlyCode = await stack.deploy(await exampleAssembly({ ...v1(), version: 'v2' }))
  expect([again.stackStatus, onlyCode.stackStatus]).toEqual(['UPDATE_COMPLETE', 'UPDATE_COMPLETE'])
  expect(received()).toHaveLength(1)
})

test('an update runs on the new code and sends the old properties along', async () => {
  const { stack, lambda, received } = await exampleStack()
  await stack.deploy(await exampleAssembly(v1()))
  expect(story(await stack.deploy(await exampleAssembly(v2())))).toEqual(['Update SUCCESS'])
  expect(await linesOf(lambda)).toEqual(['Create on v1 for one', 'Update on v2 for two'])
  expect(received().at(-1)).toMatchObject({
    PhysicalResourceId: 'example',
    ResourceProperties: { target: 'two' },
    OldResourceProperties: { target: 'one' },
  })
})

test('a failed update is answered with the old code, then an update with the properties reversed', async () => {
  const { stack, lambda, received } = await exampleStack()
  await stack.deploy(await exampleAssembly(v1()))
  const deployment = await stack.deploy(await exampleAssembly(v2({ outcome: 'throw' })))
  expect(deployment).toMatchObject({
    stackStatus: 'UPDATE_ROLLBACK_COMPLETE',
    reason: expect.stringMatching('no: two'),
  })
  expect(story(deployment)).toEqual(['Update FAILED', 'Update SUCCESS'])
  expect(await linesOf(lambda)).toEqual(['Create on v1 for one', 'Update on v2 for two', 'Update on v1 for one'])
  expect(received().at(-1)).toMatchObject({
    ResourceProperties: { target: 'one' },
    OldResourceProperties: { target: 'two', outcome: 'throw' },
  })
  expect(story(await stack.deploy(await exampleAssembly(v2())))).toEqual(['Update SUCCESS'])
})

test('a later resource’s failure rolls back an update that had succeeded', async () => {
  const { stack, lambda } = await exampleStack()
  await stack.deploy(await exampleAssembly(v1()))
  const deployment = await stack.deploy(await exampleAssembly(v2()), { failLater: true })
  expect(deployment).toMatchObject({ stackStatus: 'UPDATE_ROLLBACK_COMPLETE', outputs: { ExportVersion: 'v1' } })
  expect((await linesOf(lambda)).at(-1)).toBe('Update on v1 for one')
})

test('a rollback that fails strands the stack until it is continued', async () => {
  const gate = join(await writeFiles({ closed: '' }), 'closed')
  const { stack } = await exampleStack()
  const body = `
    const { existsSync } = await import('node:fs')
    if (event.RequestType === 'Update' && existsSync('${gate}')) throw new Error('closed')
    ${BODY}
  `
  await stack.deploy(await exampleAssembly({ ...v1(), body }))
  const update = await exampleAssembly({ ...v2(), body })
  expect((await stack.deploy(update)).stackStatus).toBe('UPDATE_ROLLBACK_FAILED')
  await expect(stack.deploy(update)).rejects.toThrow('UPDATE_ROLLBACK_FAILED')
  expect((await stack.continueUpdateRollback()).stackStatus).toBe('UPDATE_ROLLBACK_FAILED')
  await rm(gate)
  const continued = await stack.continueUpdateRollback()
  expect([continued.stackStatus, story(continued)]).toEqual(['UPDATE_ROLLBACK_COMPLETE', ['Update SUCCESS']])
  expect((await stack.deploy(update)).stackStatus).toBe('UPDATE_COMPLETE')
})

test('a failed creation is deleted under the framework’s marker, and the function does not hear of it', async () => {
  const { stack, received } = await exampleStack()
  const deployment = await stack.deploy(await exampleAssembly(v1({ outcome: 'throw' })))
  expect(deployment.stackStatus).toBe('ROLLBACK_COMPLETE')
  expect(story(deployment)).toEqual(['Create FAILED', 'Delete SUCCESS'])
  expect(deployment.responses.at(-1)?.event.PhysicalResourceId).toMatch(/::CREATE_FAILED$/)
  expect(received()).toHaveLength(1)
})

test('a later resource’s failure deletes what a creation had made', async () => {
  const { stack, received } = await exampleStack()
  const deployment = await stack.deploy(await exampleAssembly(v1()), { failLater: true })
  expect(deployment.stackStatus).toBe('ROLLBACK_COMPLETE')
  expect(received().map(({ RequestType, PhysicalResourceId }) => [RequestType, PhysicalResourceId])).toEqual([
    ['Create', undefined],
    ['Delete', 'example'],
  ])
})

test('a resource that an update added is deleted when the update rolls back, and when a later one leaves it out', async () => {
  const { stack } = await exampleStack()
  const without = { ...v1(), withoutResource: true }
  await stack.deploy(await exampleAssembly(without))
  const rolledBack = await stack.deploy(await exampleAssembly(v1()), { failLater: true })
  expect([rolledBack.stackStatus, story(rolledBack)]).toEqual([
    'UPDATE_ROLLBACK_COMPLETE',
    ['Create SUCCESS', 'Delete SUCCESS'],
  ])
  expect(story(await stack.deploy(await exampleAssembly(v1())))).toEqual(['Create SUCCESS'])
  expect(story(await stack.deploy(await exampleAssembly(without)))).toEqual(['Delete SUCCESS'])
})

test.each([
  [false, 'one'],
  [true, 'two'],
])(
  'a changed physical id is a replacement: with failLater %s the resource "%s" is deleted',
  async (failLater, gone) => {
    const { stack, received } = await exampleStack()
    const body = `
    const { RequestType, PhysicalResourceId, ResourceProperties } = event
    return { PhysicalResourceId: RequestType === 'Delete' ? PhysicalResourceId : ResourceProperties.target }
  `
    await stack.deploy(await exampleAssembly({ ...v1(), body }))
    const deployment = await stack.deploy(await exampleAssembly({ ...v2(), body }), { failLater })
    expect(story(deployment)).toEqual(['Update SUCCESS', 'Delete SUCCESS'])
    expect(received().at(-1)).toMatchObject({ RequestType: 'Delete', PhysicalResourceId: gone })
  },
)

test('deletion of the stack sends Delete while the functions still stand', async () => {
  const { stack, lambda } = await exampleStack()
  await stack.deploy(await exampleAssembly(v1()))
  expect(await stack.remove()).toMatchObject({ stackStatus: 'DELETE_COMPLETE' })
  expect(await linesOf(lambda)).toEqual(['Create on v1 for one', 'Delete on v1 for one'])
})

test('an answer over 4,096 bytes is not read, and fails the resource', async () => {
  const { stack } = await exampleStack()
  const deployment = await stack.deploy(await exampleAssembly(v1({ outcome: 'long' })))
  expect(deployment).toMatchObject({ stackStatus: 'ROLLBACK_COMPLETE' })
  const [create] = deployment.responses
  expect(create).toMatchObject({ status: 'FAILED', reason: 'Response object is too long.', data: {} })
  expect(create?.bytes).toBeGreaterThan(4096)
})

test('a function that runs out of time fails the resource with Lambda’s words', async () => {
  const { stack } = await exampleStack({ adjust: withTimeout(1, 'Example-Function') })
  const deployment = await stack.deploy(await exampleAssembly(v1({ outcome: 'hang' })))
  expect(deployment.reason).toContain('Task timed out after 1.00 seconds')
})

test('a framework that never answers is invoked three times, and the resource times out', async () => {
  const { stack, lambda } = await exampleStack({ adjust: withTimeout(0.2, 'Example-Provider') })
  const deployment = await stack.deploy(await exampleAssembly(v1({ outcome: 'hang' })))
  expect(deployment.responses[0]).toMatchObject({ status: 'TIMEOUT', bytes: 0 })
  const creations = lambda.invocations().filter(({ event }) => event.includes('"Create"'))
  expect(creations.filter(({ functionName }) => functionName.startsWith('Example-Provider'))).toHaveLength(3)
})

test.each(['twice-in-a-row', 'twice-at-once'] as const)('an event can be delivered %s', async (delivery) => {
  const { stack, received } = await exampleStack()
  const deployment = await stack.deploy(await exampleAssembly(v1()), { delivery })
  expect(story(deployment)).toEqual(['Create SUCCESS', 'Create SUCCESS'])
  const [first, second] = received()
  expect(second).toEqual(first)
})

test('an event can be delivered again later', async () => {
  const { stack, received } = await exampleStack()
  const [created] = (await stack.deploy(await exampleAssembly(v1()))).responses
  const again = created && (await stack.redeliver(created.event))
  expect(again).toEqual(created)
  expect(received()).toHaveLength(2)
})
