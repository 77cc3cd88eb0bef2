import { expect, test } from 'vitest'
import { exampleAssembly } from './example-assembly.ts'
import { exampleStack, story, v1, v2, withResource, type ExampleStack } from './example-stack.ts'

/** The physical id is the target, so another target is another resource. */
const BY_TARGET = `
  const { RequestType, PhysicalResourceId, ResourceProperties } = event
  return { PhysicalResourceId: RequestType === 'Delete' ? PhysicalResourceId : ResourceProperties.target }
`

function eventsOf({ received }: ExampleStack): readonly string[] {
  return received().map(({ RequestType, LogicalResourceId, PhysicalResourceId = 'none' }) =>
    [RequestType, LogicalResourceId, PhysicalResourceId].join(' '),
  )
}

test('an update that replaces deletes the old one when all else has succeeded', async () => {
  const example = await exampleStack()
  await example.stack.deploy(await exampleAssembly({ ...v1(), body: BY_TARGET }))
  await example.stack.deploy(await exampleAssembly({ ...v2(), body: BY_TARGET }))
  expect(eventsOf(example)).toEqual(['Create Resource none', 'Update Resource one', 'Delete Resource one'])
})

test('a replacement that is rolled back deletes the new one, and the old one stands as it was', async () => {
  const example = await exampleStack()
  await example.stack.deploy(await exampleAssembly({ ...v1(), body: BY_TARGET }))
  await example.stack.deploy(await exampleAssembly({ ...v2(), body: BY_TARGET }), { failLater: true })
  await example.stack.remove()
  expect(eventsOf(example).slice(1)).toEqual(['Update Resource one', 'Delete Resource two', 'Delete Resource one'])
})

test('a renamed resource is made under its new name, and the old one deleted at the end', async () => {
  const example = await exampleStack()
  const assembly = await exampleAssembly({ ...v1(), body: BY_TARGET })
  const renamed = withResource(assembly, (resource) => ({ Renamed: resource }))
  await example.stack.deploy(assembly)
  const rolledBack = await example.stack.deploy(renamed, { failLater: true })
  expect(rolledBack.stackStatus).toBe('UPDATE_ROLLBACK_COMPLETE')
  const update = await example.stack.deploy(renamed)
  expect([update.stackStatus, story(update)]).toEqual(['UPDATE_COMPLETE', ['Create SUCCESS', 'Delete SUCCESS']])
  expect(eventsOf(example)).toEqual([
    'Create Resource none',
    'Create Renamed none',
    'Delete Renamed one',
    'Create Renamed none',
    'Delete Resource one',
  ])
})

test('a changed type is refused before anything is touched', async () => {
  const { stack } = await exampleStack()
  const assembly = await exampleAssembly(v1())
  await stack.deploy(assembly)
  const retyped = withResource(assembly, (resource) => ({ Resource: { ...resource, Type: 'Custom::Other' } }))
  await expect(stack.deploy(retyped)).rejects.toThrow(/^Update of resource type is not permitted.*\[Resource\]$/)
  expect(stack.status()).toBe('CREATE_COMPLETE')
})

test('a changed service token fails the update without a word to either function', async () => {
  const { stack, received } = await exampleStack()
  const assembly = await exampleAssembly(v1())
  await stack.deploy(assembly)
  const moved = withResource(assembly, (resource) => ({
    Resource: {
      ...resource,
      Properties: { ...resource.Properties, ServiceToken: 'arn:aws:lambda:x:1:function:other' },
    },
  }))
  const deployment = await stack.deploy(moved)
  expect([deployment.stackStatus, deployment.reason]).toEqual([
    'UPDATE_ROLLBACK_COMPLETE',
    'Resource: Modifying service token is not allowed.',
  ])
  expect(received()).toHaveLength(1)
})

test('a clean-up tries a deletion three times, then goes on without it', async () => {
  const { stack } = await exampleStack()
  const body = `if (event.RequestType === 'Delete') throw new Error('stays'); ${BY_TARGET}`
  await stack.deploy(await exampleAssembly({ ...v1(), body }))
  const update = await stack.deploy(await exampleAssembly({ ...v2(), body }))
  const attempts = ['Delete FAILED', 'Delete FAILED', 'Delete FAILED']
  expect([update.stackStatus, story(update)]).toEqual(['UPDATE_COMPLETE', ['Update SUCCESS', ...attempts]])
})

test('an update back that replaces again deletes what the update had made', async () => {
  const example = await exampleStack()
  const body = `
    const { RequestType, PhysicalResourceId, RequestId } = event
    if (RequestType === 'Update' && VERSION === 'v2') return { PhysicalResourceId }
    return { PhysicalResourceId: RequestType === 'Delete' ? PhysicalResourceId : VERSION + RequestId }
  `
  await example.stack.deploy(await exampleAssembly({ ...v1(), body }))
  const deployment = await example.stack.deploy(await exampleAssembly({ ...v2(), body }), { failLater: true })
  expect(deployment.stackStatus).toBe('UPDATE_ROLLBACK_COMPLETE')
  await example.stack.remove()
  const [, update, back, cleanUp, removal] = example.received()
  expect([back?.PhysicalResourceId, cleanUp?.PhysicalResourceId]).toEqual([
    update?.PhysicalResourceId,
    update?.PhysicalResourceId,
  ])
  expect(removal?.PhysicalResourceId).toBe(`v1${back?.RequestId}`)
})
