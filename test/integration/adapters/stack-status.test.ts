import { CloudFormationClient } from '@aws-sdk/client-cloudformation'
import { expect, onTestFinished, test } from 'vitest'
import { readStackStatus } from '../../../lambda/adapters/stack-status.ts'
import { silentLog } from '../../../lambda/log.ts'
import { answerQuery } from '../../support/cloudformation/describe-stacks.ts'
import type { StackStatus } from '../../support/cloudformation/stack-status.ts'
import { startHttpServer } from '../../support/http-server.ts'

const idOf = (depth: number): string => `arn:aws:cloudformation:eu-central-1:111122223333:stack/Stack${depth}/id`

/** Asks for the status of the last of stacks that are nested in each other, the outermost first. */
async function statusWithin(...statuses: readonly (StackStatus | null)[]): Promise<string | null> {
  const stacks = statuses.flatMap((status, depth) =>
    status === null
      ? []
      : {
          id: idOf(depth),
          name: `Stack${depth}`,
          status,
          reason: undefined,
          createdAt: new Date(0),
          ...(depth === 0 ? {} : { parentId: idOf(depth - 1) }),
        },
  )
  const server = await startHttpServer(async (request) => answerQuery(request, stacks, 'answers'))
  onTestFinished(() => server.stop())
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' }
  const client = new CloudFormationClient({ endpoint: server.endpoint, region: 'eu-central-1', credentials })
  onTestFinished(() => client.destroy())
  return readStackStatus(client, idOf(statuses.length - 1), silentLog)
}

test.each([
  ['its own, outside of any other', ['UPDATE_IN_PROGRESS'], 'UPDATE_IN_PROGRESS'],
  ['its own, when it rolls back itself', ['UPDATE_IN_PROGRESS', 'ROLLBACK_IN_PROGRESS'], 'ROLLBACK_IN_PROGRESS'],
  ['its own, while nothing rolls back', ['UPDATE_IN_PROGRESS', 'CREATE_IN_PROGRESS'], 'CREATE_IN_PROGRESS'],
  ['its own, when all of it is deleted', ['DELETE_IN_PROGRESS', 'DELETE_IN_PROGRESS'], 'DELETE_IN_PROGRESS'],
  [
    'its own, when it is changed by itself in a stack that rolled back once',
    ['UPDATE_ROLLBACK_COMPLETE', 'UPDATE_IN_PROGRESS'],
    'UPDATE_IN_PROGRESS',
  ],
  [
    'that of the stack around it, which takes its creation back',
    ['ROLLBACK_IN_PROGRESS', 'DELETE_IN_PROGRESS'],
    'ROLLBACK_IN_PROGRESS',
  ],
  [
    'that of a stack further out, in the clean-up of its rollback',
    ['UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS', 'DELETE_IN_PROGRESS', 'DELETE_IN_PROGRESS'],
    'UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS',
  ],
  ['unknown, when it is deleted and the stack around it cannot be asked', [null, 'DELETE_IN_PROGRESS'], null],
  ['its own, when only the stack around it cannot be asked', [null, 'UPDATE_IN_PROGRESS'], 'UPDATE_IN_PROGRESS'],
] as const)('the status of a stack is %s', async (_, statuses, expected) => {
  expect(await statusWithin(...statuses)).toBe(expected)
})
