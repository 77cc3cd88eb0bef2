import { expect, test } from 'vitest'
import type { FunctionDefinition } from '../../support/lambda/definition.ts'
import { exampleAssembly } from './example-assembly.ts'
import { exampleStack, story, v1 } from './example-stack.ts'

/** The example function with other limits; the framework's are as they are. */
function limited(limits: Partial<FunctionDefinition>): (definition: FunctionDefinition) => FunctionDefinition {
  return (definition) => (definition.name.startsWith('Example-Function') ? { ...definition, ...limits } : definition)
}

const FILLS_MEMORY =
  'const kept = []; for (;;) { kept.push(Buffer.alloc(4e6, 1)); await new Promise((resolve) => setTimeout(resolve, 2)) }'

test.each([
  ['time', { timeoutSeconds: 1 }, 'await new Promise(() => {})', /Error: Task timed out after 1\.00 seconds/],
  ['memory', { memoryMb: 128, timeoutSeconds: 30 }, FILLS_MEMORY, /Error: Runtime exited with error: signal: killed/],
])(
  'a function that runs out of %s fails the resource with Lambda’s words, and is run once',
  async (_of, limits, body, says) => {
    const { stack, received } = await exampleStack({ adjust: limited(limits) })
    const deployment = await stack.deploy(await exampleAssembly({ ...v1(), body }))
    expect([deployment.stackStatus, story(deployment)]).toEqual([
      'ROLLBACK_COMPLETE',
      ['Create FAILED', 'Delete SUCCESS'],
    ])
    expect(deployment.reason).toMatch(says)
    expect(deployment.reason).toMatch(/Logs: \/aws\/lambda\/Example-Function/)
    expect(received()).toHaveLength(1)
  },
)
