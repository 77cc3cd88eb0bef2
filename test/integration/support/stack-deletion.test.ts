import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Assembly } from '../../support/cloudformation/assembly.ts'
import type { TemplateResource } from '../../support/cloudformation/template.ts'
import { writeFiles } from '../../support/source-files.ts'
import { exampleAssembly } from './example-assembly.ts'
import { BODY, exampleStack, story, v1, v2, withResource } from './example-stack.ts'

describe('a deletion that fails', () => {
  test('deletes what the resource needs all the same, so that trying again is in vain until it is retained', async () => {
    const { stack } = await exampleStack()
    const gate = join(await writeFiles({ closed: '' }), 'closed')
    const body = `
      const { existsSync } = await import('node:fs')
      if (event.RequestType === 'Delete' && existsSync('${gate}')) throw new Error('closed')
      ${BODY}
    `
    await stack.deploy(await exampleAssembly({ ...v1(), body }))
    const failed = await stack.remove()
    expect([failed.stackStatus, failed.reason]).toEqual([
      'DELETE_FAILED',
      expect.stringMatching(/^Resource: .*closed/s),
    ])
    await expect(stack.deploy(await exampleAssembly(v1()))).rejects.toThrow('DELETE_FAILED')
    await rm(gate)
    const again = await stack.remove()
    expect([again.stackStatus, story(again)]).toEqual(['DELETE_FAILED', ['Delete TIMEOUT']])
    const retained = await stack.remove({ retain: ['Resource'] })
    expect([retained.stackStatus, story(retained)]).toEqual(['DELETE_COMPLETE', []])
  })

  test('of a creation that is rolled back leaves the stack in ROLLBACK_FAILED, which the next deployment deletes', async () => {
    const { stack } = await exampleStack()
    const gate = join(await writeFiles({ closed: '' }), 'closed')
    const body = `
      const { existsSync } = await import('node:fs')
      if (event.RequestType === 'Delete' && existsSync('${gate}')) throw new Error('closed')
      ${BODY}
    `
    const failed = await stack.deploy(await exampleAssembly({ ...v1(), body }), { failLater: true })
    expect([failed.stackStatus, story(failed)]).toEqual(['ROLLBACK_FAILED', ['Create SUCCESS', 'Delete FAILED']])
    expect((await stack.deploy(await exampleAssembly({ ...v1(), body }))).stackStatus).toBe('DELETE_FAILED')
  })
})

test('a stack whose creation was rolled back has nothing left to delete', async () => {
  const { stack } = await exampleStack()
  await stack.deploy(await exampleAssembly(v1({ outcome: 'throw' })))
  const removed = await stack.remove()
  expect([removed.stackStatus, story(removed)]).toEqual(['DELETE_COMPLETE', []])
})

type Policies = Pick<TemplateResource, 'DeletionPolicy' | 'UpdateReplacePolicy'>

const BY_TARGET = `
  const { RequestType, PhysicalResourceId, ResourceProperties } = event
  return { PhysicalResourceId: RequestType === 'Delete' ? PhysicalResourceId : ResourceProperties.target }
`

async function assemblyWith(policies: Policies, input = v1()): Promise<Assembly> {
  const assembly = await exampleAssembly({ ...input, body: BY_TARGET })
  return withResource(assembly, (resource) => ({ Resource: { ...resource, ...policies } }))
}

describe('a policy', () => {
  test.each([
    ['Retain', []],
    ['RetainExceptOnCreate', []],
    ['Delete', ['Delete SUCCESS']],
  ])('DeletionPolicy %s: the deletion of the stack asks %j', async (DeletionPolicy, asked) => {
    const { stack } = await exampleStack()
    await stack.deploy(await assemblyWith({ DeletionPolicy }))
    const removed = await stack.remove()
    expect([removed.stackStatus, story(removed)]).toEqual(['DELETE_COMPLETE', asked])
  })

  test.each([
    ['Retain', ['Create SUCCESS']],
    ['RetainExceptOnCreate', ['Create SUCCESS', 'Delete SUCCESS']],
  ])('DeletionPolicy %s: a creation that is rolled back asks %j', async (DeletionPolicy, asked) => {
    const { stack } = await exampleStack()
    const deployment = await stack.deploy(await assemblyWith({ DeletionPolicy }), { failLater: true })
    expect([deployment.stackStatus, story(deployment)]).toEqual(['ROLLBACK_COMPLETE', asked])
  })

  test('of the newest template counts, also where nothing else of the resource has changed', async () => {
    const { stack } = await exampleStack()
    await stack.deploy(await assemblyWith({}))
    expect(story(await stack.deploy(await assemblyWith({ DeletionPolicy: 'Retain' })))).toEqual([])
    const removed = await stack.remove()
    expect([removed.stackStatus, story(removed)]).toEqual(['DELETE_COMPLETE', []])
  })

  test('UpdateReplacePolicy Retain keeps what is replaced', async () => {
    const { stack } = await exampleStack()
    await stack.deploy(await assemblyWith({ UpdateReplacePolicy: 'Retain' }))
    const update = await stack.deploy(await assemblyWith({ UpdateReplacePolicy: 'Retain' }, v2()))
    expect([update.stackStatus, story(update)]).toEqual(['UPDATE_COMPLETE', ['Update SUCCESS']])
    expect(update.events).toContainEqual({ logicalId: 'Resource', status: 'DELETE_SKIPPED' })
  })
})
