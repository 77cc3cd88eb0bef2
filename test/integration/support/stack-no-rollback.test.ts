import { expect, test } from 'vitest'
import { exampleAssembly } from './example-assembly.ts'
import { exampleStack, story, v1, v2 } from './example-stack.ts'

const NO_ROLLBACK = { rollback: false } as const

test('a creation that fails without rollback leaves what stands; the next one deletes and makes what failed', async () => {
  const { stack, received } = await exampleStack()
  const failed = await stack.deploy(await exampleAssembly(v1({ outcome: 'throw' })), NO_ROLLBACK)
  expect([failed.stackStatus, stack.status(), story(failed)]).toEqual([
    'CREATE_FAILED',
    'CREATE_FAILED',
    ['Create FAILED'],
  ])
  const { id } = stack
  const again = await stack.deploy(await exampleAssembly(v2()), NO_ROLLBACK)
  expect([again.stackStatus, story(again)]).toEqual(['UPDATE_COMPLETE', ['Delete SUCCESS', 'Create SUCCESS']])
  expect(again.responses[0]?.event.PhysicalResourceId).toMatch(/::CREATE_FAILED$/)
  expect(received().map(({ RequestType }) => RequestType)).toEqual(['Create', 'Create'])
  expect(stack.id).toBe(id)
})

test('an update that fails without rollback is tried again from the last stable properties', async () => {
  const { stack, received } = await exampleStack()
  await stack.deploy(await exampleAssembly(v1()))
  const failed = await stack.deploy(await exampleAssembly(v2({ outcome: 'throw' })), NO_ROLLBACK)
  expect([failed.stackStatus, story(failed)]).toEqual(['UPDATE_FAILED', ['Update FAILED']])
  const again = await stack.deploy(await exampleAssembly(v2()), NO_ROLLBACK)
  expect([again.stackStatus, story(again)]).toEqual(['UPDATE_COMPLETE', ['Update SUCCESS']])
  expect(received().at(-1)).toMatchObject({
    ResourceProperties: { target: 'two', outcome: 'succeed' },
    OldResourceProperties: { target: 'one' },
  })
})

test('what failed is sent again even when the next template wants what stood before', async () => {
  const { stack } = await exampleStack()
  await stack.deploy(await exampleAssembly(v1()))
  await stack.deploy(await exampleAssembly(v2({ outcome: 'throw' })), NO_ROLLBACK)
  const again = await stack.deploy(await exampleAssembly(v1()), NO_ROLLBACK)
  expect([again.stackStatus, story(again)]).toEqual(['UPDATE_COMPLETE', ['Update SUCCESS']])
})

test('the failed resource alone can be put back at once', async () => {
  const { stack, received } = await exampleStack()
  await stack.deploy(await exampleAssembly(v1()))
  const failed = await stack.deploy(await exampleAssembly(v2({ outcome: 'throw' })), { rollback: 'failed-resource' })
  expect([failed.stackStatus, story(failed)]).toEqual(['UPDATE_FAILED', ['Update FAILED', 'Update SUCCESS']])
  expect(received().at(-1)).toMatchObject({ ResourceProperties: { target: 'one' } })
})

test('what failed without rollback can be rolled back later', async () => {
  const { stack, received } = await exampleStack()
  await stack.deploy(await exampleAssembly(v1()))
  await stack.deploy(await exampleAssembly(v2()), { ...NO_ROLLBACK, failLater: true })
  await stack.deploy(await exampleAssembly(v2({ more: 'x' })), { ...NO_ROLLBACK, failLater: true })
  const back = await stack.rollback()
  expect([back.stackStatus, story(back), back.outputs]).toEqual([
    'UPDATE_ROLLBACK_COMPLETE',
    ['Update SUCCESS'],
    { ExportVersion: 'v1' },
  ])
  expect(received().at(-1)).toMatchObject({
    ResourceProperties: { target: 'one' },
    OldResourceProperties: { target: 'two', more: 'x' },
  })
  await expect(stack.rollback()).rejects.toThrow('UPDATE_ROLLBACK_COMPLETE')
})

test('a creation without a last good template is rolled back to nothing', async () => {
  const { stack } = await exampleStack()
  await stack.deploy(await exampleAssembly(v1()), { ...NO_ROLLBACK, failLater: true })
  const back = await stack.rollback()
  expect([back.stackStatus, story(back)]).toEqual(['ROLLBACK_COMPLETE', ['Delete SUCCESS']])
})

test('a deployment with rollback first rolls back what failed without', async () => {
  const { stack } = await exampleStack()
  await stack.deploy(await exampleAssembly(v1()))
  await stack.deploy(await exampleAssembly(v2({ outcome: 'throw' })), NO_ROLLBACK)
  const next = await stack.deploy(await exampleAssembly(v2()))
  expect([next.stackStatus, story(next)]).toEqual(['UPDATE_COMPLETE', ['Update SUCCESS', 'Update SUCCESS']])

  await stack.remove()
  await stack.deploy(await exampleAssembly(v1({ outcome: 'throw' })), NO_ROLLBACK)
  const { id } = stack
  const created = await stack.deploy(await exampleAssembly(v1()))
  expect([created.stackStatus, story(created)]).toEqual(['CREATE_COMPLETE', ['Delete SUCCESS', 'Create SUCCESS']])
  expect(stack.id).not.toBe(id)
})

test('a replacement on the way is cleaned up with the other', async () => {
  const { stack, received } = await exampleStack()
  const body = `
    const { RequestType, PhysicalResourceId, ResourceProperties } = event
    return { PhysicalResourceId: RequestType === 'Delete' ? PhysicalResourceId : ResourceProperties.target }
  `
  const deleted = (): readonly unknown[] =>
    received().flatMap((event) => (event.RequestType === 'Delete' ? [event.PhysicalResourceId] : []))
  await stack.deploy(await exampleAssembly({ ...v1(), body }))
  await stack.deploy(await exampleAssembly({ ...v2(), body }), { ...NO_ROLLBACK, failLater: true })
  await stack.deploy(await exampleAssembly({ ...v1({ target: 'three' }), body }), { ...NO_ROLLBACK })
  expect(new Set(deleted())).toEqual(new Set(['one', 'two']))
})
