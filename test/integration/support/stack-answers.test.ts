import { rm } from 'node:fs/promises'
import { expect, test } from 'vitest'
import type { Assembly } from '../../support/cloudformation/assembly.ts'
import { exampleAssembly, type ExampleInput } from './example-assembly.ts'
import { BODY, exampleStack, gate, linesOf, story, v1, v2, withResource } from './example-stack.ts'

const UNANSWERED =
  /^CloudFormation did not receive a response from your Custom Resource\. Please check your logs for requestId \[[0-9a-f-]{36}\]\. If you are using the Python/

test('a ServiceTimeout that elapses fails the resource, and an answer that comes later is not looked at', async () => {
  const { stack, lambda } = await exampleStack()
  const { file, body: hold } = await gate()
  const body = `if (VERSION === 'v2') { ${hold} } ${BODY}`
  await stack.deploy(await exampleAssembly({ ...v1(), body }))
  const deployment = await stack.deploy(await exampleAssembly({ ...v2({ ServiceTimeout: 1 }), body }))
  expect([deployment.stackStatus, story(deployment)]).toEqual([
    'UPDATE_ROLLBACK_COMPLETE',
    ['Update TIMEOUT', 'Update SUCCESS'],
  ])
  expect(deployment.responses[0]?.reason).toMatch(UNANSWERED)
  await rm(file)
  await stack.settled()
  expect((await linesOf(lambda)).at(-1)).toBe('Update on v2 for two')
  expect([stack.status(), stack.responses().length]).toEqual(['UPDATE_ROLLBACK_COMPLETE', 3])
})

test('an answer that is lost on the way fails the resource, though the function has done its work', async () => {
  const { stack, lambda, cloudFormation } = await exampleStack()
  await stack.deploy(await exampleAssembly(v1()))
  cloudFormation.loseAnswers(1)
  const deployment = await stack.deploy(await exampleAssembly(v2()))
  expect([deployment.stackStatus, story(deployment)]).toEqual([
    'UPDATE_ROLLBACK_COMPLETE',
    ['Update TIMEOUT', 'Update SUCCESS'],
  ])
  expect(await linesOf(lambda)).toEqual(['Create on v1 for one', 'Update on v2 for two', 'Update on v1 for one'])
})

test('a resource whose function is gone fails, and cannot be rolled back either', async () => {
  const { stack, lambda } = await exampleStack()
  const { responses } = await stack.deploy(await exampleAssembly(v1()))
  await lambda.remove(String(responses[0]?.event.ServiceToken))
  const deployment = await stack.deploy(await exampleAssembly(v2()))
  expect([deployment.stackStatus, story(deployment)]).toEqual([
    'UPDATE_ROLLBACK_FAILED',
    ['Update TIMEOUT', 'Update TIMEOUT'],
  ])
})

test('an output that asks for what an answer lacks fails the deployment', async () => {
  const { stack } = await exampleStack()
  const body = 'return { PhysicalResourceId: "example", Data: { version: undefined } }'
  const deployment = await stack.deploy(await exampleAssembly({ ...v1(), body }))
  expect([deployment.stackStatus, deployment.reason]).toEqual([
    'ROLLBACK_COMPLETE',
    "CustomResource attribute error: Vendor response doesn't contain version attribute in object example",
  ])
})

test('a resource that asks for what the answer of another lacks fails', async () => {
  const { stack } = await exampleStack()
  const assembly = withResource(await exampleAssembly(v1()), (resource) => ({
    Resource: resource,
    Second: { ...resource, Properties: { ...resource.Properties, of: { 'Fn::GetAtt': ['Resource', 'nothing'] } } },
  }))
  const deployment = await stack.deploy(assembly)
  expect([deployment.stackStatus, deployment.reason, story(deployment)]).toEqual([
    'ROLLBACK_COMPLETE',
    "Second: CustomResource attribute error: Vendor response doesn't contain nothing attribute in object example",
    ['Create SUCCESS', 'Delete SUCCESS'],
  ])
})

/** The second refers to what the first answers. */
async function twoInOrder(input: ExampleInput): Promise<Assembly> {
  return withResource(await exampleAssembly(input), (resource) => ({
    Resource: resource,
    Second: {
      ...resource,
      Properties: { ...resource.Properties, target: { 'Fn::Sub': 'after ${Resource.version}' } },
    },
  }))
}

test('the Data of an answer reaches whoever refers to it, and a change of it is a change of theirs', async () => {
  const { stack, received } = await exampleStack()
  await stack.deploy(await twoInOrder(v1()))
  await stack.deploy(await twoInOrder(v2()))
  expect(received().map(({ RequestType, ResourceProperties }) => [RequestType, ResourceProperties['target']])).toEqual([
    ['Create', 'one'],
    ['Create', 'after v1'],
    ['Update', 'two'],
    ['Update', 'after v2'],
  ])
})

test('what an answer says is not for everybody is hidden from the outputs, and known to other resources', async () => {
  const { stack, received } = await exampleStack()
  const { template, ...rest } = await exampleAssembly({
    ...v1(),
    body: `return { PhysicalResourceId: 'x', NoEcho: true }`,
  })
  const { Resource: resource, ...others } = template.Resources
  const Second = {
    ...resource,
    Type: 'Custom::Example',
    Properties: { ...resource?.Properties, of: { 'Fn::GetAtt': ['Resource', 'version'] } },
  }
  const Resources = { ...others, ...(resource === undefined ? {} : { Resource: resource }), Second }
  const deployment = await stack.deploy({ ...rest, template: { ...template, Resources } })
  expect(deployment.outputs).toEqual({ ExportVersion: '*****' })
  expect(received().at(-1)?.ResourceProperties['of']).toBe('v1')
})

test('a resource that a condition takes out is deleted, and one that it brings in is made', async () => {
  const { stack } = await exampleStack()
  const assembly = await exampleAssembly(v1())
  const when = (answer: string): Assembly => {
    const conditional = withResource(assembly, (resource) => ({ Resource: { ...resource, Condition: 'IsWanted' } }))
    const Conditions = { IsWanted: { 'Fn::Equals': [answer, 'yes'] } }
    return { ...conditional, template: { ...conditional.template, Conditions } }
  }
  const stories: (readonly string[])[] = []
  for (const answer of ['no', 'yes', 'no']) stories.push(story(await stack.deploy(when(answer))))
  expect(stories).toEqual([[], ['Create SUCCESS'], ['Delete SUCCESS']])
})
