import { rm } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { until } from '../../support/wait.ts'
import { exampleAssembly, type ExampleInput } from './example-assembly.ts'
import { BODY, exampleStack, gate, linesOf, story, v1, v2, type ExampleStack } from './example-stack.ts'

interface Held {
  readonly open: () => Promise<void>
  readonly hold: (input: ExampleInput) => ExampleInput
}

/** Functions that are held up while they create or update to `two`. */
async function holding(): Promise<Held> {
  const { file, body } = await gate()
  const held = `
    console.log(event.RequestType + ' on gate for ' + event.ResourceProperties.target)
    if (event.RequestType !== 'Delete' && event.ResourceProperties.target === 'two') { ${body} }
    ${BODY}
  `
  return { open: () => rm(file), hold: (input) => ({ ...input, body: held }) }
}

async function arrived({ lambda }: ExampleStack, line: string): Promise<void> {
  await until(async () => (await linesOf(lambda)).includes(line))
}

test('an update that is cancelled sends the reversal while the first event is still in work', async () => {
  const example = await exampleStack()
  const { stack, lambda } = example
  const { open, hold } = await holding()
  await stack.deploy(await exampleAssembly(hold(v1())))
  const running = stack.deploy(await exampleAssembly(hold(v2())))
  await arrived(example, 'Update on gate for two')
  stack.cancel()
  expect(stack.status()).toBe('UPDATE_ROLLBACK_IN_PROGRESS')
  const cancelled = await running
  expect([cancelled.stackStatus, story(cancelled)]).toEqual([
    'UPDATE_ROLLBACK_COMPLETE',
    ['Update CANCELLED', 'Update SUCCESS'],
  ])
  expect(cancelled.responses[0]?.reason).toBe('Resource update cancelled')
  expect((await linesOf(lambda)).at(-1)).toBe('Update on v1 for one')
  await open()
  await stack.settled()
  expect((await linesOf(lambda)).at(-1)).toBe('Update on v2 for two')
  expect(stack.status()).toBe('UPDATE_ROLLBACK_COMPLETE')
})

test('a creation that is cancelled deletes under an id that CloudFormation makes up', async () => {
  const example = await exampleStack()
  const { stack, received } = example
  const { open, hold } = await holding()
  const running = stack.deploy(await exampleAssembly(hold(v2())))
  await arrived(example, 'Create on gate for two')
  stack.cancel()
  expect(stack.status()).toBe('DELETE_IN_PROGRESS')
  const cancelled = await running
  expect([cancelled.stackStatus, story(cancelled)]).toEqual(['DELETE_COMPLETE', ['Create CANCELLED', 'Delete SUCCESS']])
  expect(received()).toMatchObject([
    { RequestType: 'Delete', PhysicalResourceId: expect.stringMatching(/^Example-Resource-[0-9A-F]{12}$/) },
  ])
  await open()
  await stack.settled()
  expect(received().map(({ RequestType }) => RequestType)).toEqual(['Delete', 'Create'])
})

test('a sibling that fails meanwhile ends the wait for a creation', async () => {
  const example = await exampleStack()
  const { stack, received } = example
  const { open, hold } = await holding()
  const failMeanwhile = (): Promise<void> => arrived(example, 'Create on gate for two')
  const deployment = await stack.deploy(await exampleAssembly(hold(v2())), { failMeanwhile })
  expect([deployment.stackStatus, deployment.reason, story(deployment)]).toEqual([
    'ROLLBACK_COMPLETE',
    'FailsMeanwhile: A sibling resource failed.',
    ['Create CANCELLED', 'Delete SUCCESS'],
  ])
  expect(received().map(({ RequestType }) => RequestType)).toEqual(['Delete'])
  await open()
  await stack.settled()
})

test('a sibling that fails meanwhile ends the wait for an update', async () => {
  const example = await exampleStack()
  const { stack } = example
  const { open, hold } = await holding()
  await stack.deploy(await exampleAssembly(hold(v1())))
  const failMeanwhile = (): Promise<void> => arrived(example, 'Update on gate for two')
  const deployment = await stack.deploy(await exampleAssembly(hold(v2())), { failMeanwhile })
  expect([deployment.stackStatus, story(deployment)]).toEqual([
    'UPDATE_ROLLBACK_COMPLETE',
    ['Update CANCELLED', 'Update SUCCESS'],
  ])
  await open()
  await stack.settled()
})

test('without rollback what is in work when a sibling fails goes on to its end', async () => {
  const example = await exampleStack()
  const { stack } = example
  const { open, hold } = await holding()
  await stack.deploy(await exampleAssembly(hold(v1())))
  const failMeanwhile = async (): Promise<void> => {
    await arrived(example, 'Update on gate for two')
    await open()
  }
  const deployment = await stack.deploy(await exampleAssembly(hold(v2())), { failMeanwhile, rollback: false })
  expect([deployment.stackStatus, deployment.reason, story(deployment)]).toEqual([
    'UPDATE_FAILED',
    'FailsMeanwhile: A sibling resource failed.',
    ['Update SUCCESS'],
  ])
})
