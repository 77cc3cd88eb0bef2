import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Assembly } from '../../support/cloudformation/assembly.ts'
import type { Deployment } from '../../support/cloudformation/stack-types.ts'
import { writeFiles } from '../../support/source-files.ts'
import { until } from '../../support/wait.ts'
import { exampleAssembly, type ExampleInput } from './example-assembly.ts'
import { BODY, exampleStack, gate, linesOf, story, v1, v2, withResource } from './example-stack.ts'

const QUEUE: Assembly = {
  stackName: 'Example',
  template: { Resources: { Queue: { Type: 'AWS::SQS::Queue' } } },
  assets: new Map(),
}

/** What became of the resources, without the functions that they need: `CREATE_FAILED One`. */
function outcomes({ events }: Deployment, ...logicalIds: readonly string[]): readonly string[] {
  return events
    .filter(({ logicalId, status }) => logicalIds.includes(logicalId) && !status.endsWith('_IN_PROGRESS'))
    .map(({ logicalId, status }) => `${status} ${logicalId}`)
}

/** Two custom resources of which each event waits for that of the other. */
async function needingEachOther(): Promise<(input: ExampleInput) => Promise<Assembly>> {
  const directory = await writeFiles({})
  const body = `
    const { existsSync, writeFileSync } = await import('node:fs')
    const { RequestType, LogicalResourceId } = event
    const at = (id) => '${directory}/' + RequestType + VERSION + id
    writeFileSync(at(LogicalResourceId), '')
    const other = LogicalResourceId === 'One' ? 'Two' : 'One'
    while (!existsSync(at(other))) await new Promise((resolve) => setTimeout(resolve, 20))
    ${BODY}
  `
  return async (input) =>
    withResource(await exampleAssembly({ ...input, body }), (resource) => ({ One: resource, Two: resource }))
}

test('resources that do not need each other are made, changed, taken back and deleted at the same time', async () => {
  const { stack } = await exampleStack()
  const assembly = await needingEachOther()
  const made = await stack.deploy(await assembly(v1()))
  const back = await stack.deploy(await assembly(v2()), { failLater: true })
  const removed = await stack.remove()
  expect([made, back, removed].map(({ stackStatus }) => stackStatus)).toEqual([
    'CREATE_COMPLETE',
    'UPDATE_ROLLBACK_COMPLETE',
    'DELETE_COMPLETE',
  ])
  expect([made, back, removed].map((deployment) => new Set(story(deployment)))).toEqual([
    new Set(['Create SUCCESS']),
    new Set(['Update SUCCESS']),
    new Set(['Delete SUCCESS']),
  ])
})

test('a resource waits for all that it needs, and no longer', async () => {
  const { stack } = await exampleStack()
  const begun: string[] = []
  const { promise: held, resolve: release } = Promise.withResolvers<void>()
  const note = (id: string) => async (): Promise<void> => void begun.push(id)
  const running = stack.deploy(QUEUE, {
    others: {
      Held: { create: () => held },
      Behind: { dependsOn: ['Held'], create: note('Behind') },
      Free: { dependsOn: ['Queue'], create: note('Free') },
    },
  })
  await until(async () => begun.length > 0)
  expect(begun).toEqual(['Free'])
  release()
  expect((await running).stackStatus).toBe('CREATE_COMPLETE')
  expect(begun).toEqual(['Free', 'Behind'])
})

test('a failure cancels what is in work and begins nothing more; what stood is deleted', async () => {
  const { stack } = await exampleStack()
  const begun: string[] = []
  const deployment = await stack.deploy(QUEUE, {
    others: {
      InWork: { create: () => new Promise(() => {}) },
      Behind: { dependsOn: ['InWork'], create: async () => void begun.push('Behind') },
      Broken: { dependsOn: ['Queue'], create: () => Promise.reject(new Error('It is broken.')) },
    },
  })
  expect([deployment.stackStatus, deployment.reason, begun]).toEqual(['ROLLBACK_COMPLETE', 'Broken: It is broken.', []])
  expect(outcomes(deployment, 'Queue', 'Broken', 'InWork', 'Behind')).toEqual([
    'CREATE_COMPLETE Queue',
    'CREATE_FAILED Broken',
    'CREATE_FAILED InWork',
    'DELETE_COMPLETE Queue',
  ])
  expect(deployment.events.find(({ reason }) => reason?.includes('cancelled'))).toEqual({
    logicalId: 'InWork',
    status: 'CREATE_FAILED',
    reason: 'Resource creation cancelled',
  })
})

test('without rollback a failure spares whatever does not need what failed', async () => {
  const { stack } = await exampleStack()
  const begun: string[] = []
  const { promise: broken, reject: breakIt } = Promise.withResolvers<void>()
  const deployment = await stack.deploy(QUEUE, {
    rollback: false,
    others: {
      Broken: { create: () => broken },
      Behind: { dependsOn: ['Broken'], create: async () => void begun.push('Behind') },
      First: { create: async () => breakIt(new Error('It is broken.')) },
      Second: { dependsOn: ['First'], create: async () => void begun.push('Second') },
    },
  })
  expect([deployment.stackStatus, deployment.reason, begun]).toEqual([
    'CREATE_FAILED',
    'Broken: It is broken.',
    ['Second'],
  ])
})

test('when one of two custom resources fails, the other is not waited for, and is taken back all the same', async () => {
  const { stack, lambda } = await exampleStack()
  const { file, body: hold } = await gate()
  const begun = join(await writeFiles({}), 'begun')
  const body = `
    const { existsSync, writeFileSync } = await import('node:fs')
    if (VERSION === 'v2' && event.LogicalResourceId === 'One') { writeFileSync('${begun}', ''); ${hold} }
    if (VERSION === 'v2' && event.LogicalResourceId === 'Two') {
      while (!existsSync('${begun}')) await new Promise((resolve) => setTimeout(resolve, 20))
      throw new Error('Two is broken')
    }
    ${BODY}
  `
  const two = async (input: ExampleInput): Promise<Assembly> =>
    withResource(await exampleAssembly({ ...input, body }), (resource) => ({ One: resource, Two: resource }))
  await stack.deploy(await two(v1()))
  const deployment = await stack.deploy(await two(v2()))
  expect([deployment.stackStatus, existsSync(file)]).toEqual(['UPDATE_ROLLBACK_COMPLETE', true])
  expect(deployment.reason).toMatch(
    /^Two: Received response status \[FAILED\] from custom resource\. Message returned: Two is broken/,
  )
  expect(outcomes(deployment, 'One', 'Two').slice(0, 2).toSorted()).toEqual(['UPDATE_FAILED One', 'UPDATE_FAILED Two'])
  expect((await linesOf(lambda)).filter((line) => line === 'Update on v1 for one')).toHaveLength(2)
  await rm(file)
  await stack.settled()
})
