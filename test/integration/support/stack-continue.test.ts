import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Assembly } from '../../support/cloudformation/assembly.ts'
import { writeFiles } from '../../support/source-files.ts'
import { exampleAssembly, type ExampleInput } from './example-assembly.ts'
import { BODY, exampleStack, gate, linesOf, story, v1, v2, withResource, type ExampleStack } from './example-stack.ts'

interface Stranded extends ExampleStack {
  /** From now on the rollback of each resource succeeds. */
  readonly mend: () => Promise<void>
  readonly update: Assembly
}

/** A stack whose rollback has failed at its resource `Two`, while that of `One` was in work, and is still. */
async function stranded(): Promise<Stranded> {
  const example = await exampleStack()
  const { file, body: hold } = await gate()
  const begun = join(await writeFiles({}), 'begun')
  const body = `
    const { existsSync, writeFileSync } = await import('node:fs')
    const isBack = event.RequestType === 'Update' && VERSION === 'v1'
    if (isBack && existsSync('${file}') && event.LogicalResourceId === 'One') { writeFileSync('${begun}', ''); ${hold} }
    if (isBack && existsSync('${file}') && event.LogicalResourceId === 'Two') {
      while (!existsSync('${begun}')) await new Promise((resolve) => setTimeout(resolve, 20))
      throw new Error('Two is broken')
    }
    ${BODY}
  `
  const two = async (input: ExampleInput): Promise<Assembly> =>
    withResource(await exampleAssembly({ ...input, body }), (resource) => ({ One: resource, Two: resource }))
  await example.stack.deploy(await two(v1()))
  const update = await two(v2())
  const failed = await example.stack.deploy(update, { failLater: true })
  expect([failed.stackStatus, existsSync(file)]).toEqual(['UPDATE_ROLLBACK_FAILED', true])
  expect(story(failed).slice(-2)).toEqual(['Update FAILED', 'Update CANCELLED'])
  return { ...example, update, mend: () => rm(file) }
}

test('a rollback that fails cancels what else is rolled back, and is continued with both', async () => {
  const { stack, mend } = await stranded()
  await mend()
  await stack.settled()
  const continued = await stack.continueUpdateRollback()
  expect([continued.stackStatus, story(continued)]).toEqual([
    'UPDATE_ROLLBACK_COMPLETE',
    ['Update SUCCESS', 'Update SUCCESS'],
  ])
})

test('what could not be rolled back can be skipped: it counts as rolled back, and is as it was', async () => {
  const { stack, mend, lambda, update } = await stranded()
  await expect(stack.continueUpdateRollback({ skip: ['One'] })).rejects.toThrow('got One')
  await mend()
  await stack.settled()
  const continued = await stack.continueUpdateRollback({ skip: ['Two'] })
  expect([continued.stackStatus, story(continued)]).toEqual(['UPDATE_ROLLBACK_COMPLETE', ['Update SUCCESS']])
  expect(continued.responses[0]?.event.LogicalResourceId).toBe('One')
  const again = await stack.deploy(update)
  expect([again.stackStatus, story(again)]).toEqual(['UPDATE_COMPLETE', ['Update SUCCESS', 'Update SUCCESS']])
  expect(again.responses.map(({ event }) => event.OldResourceProperties?.['target'])).toEqual(['one', 'one'])
  expect((await linesOf(lambda)).filter((line) => line === 'Update on v2 for two')).toHaveLength(4)
})

test('a stack whose rollback has failed can be deleted', async () => {
  const { stack, mend } = await stranded()
  await mend()
  await stack.settled()
  const removed = await stack.remove()
  expect([removed.stackStatus, story(removed)]).toEqual(['DELETE_COMPLETE', ['Delete SUCCESS', 'Delete SUCCESS']])
})
