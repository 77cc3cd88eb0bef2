import { DescribeStacksCommand, type CloudFormationClient } from '@aws-sdk/client-cloudformation'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'

/** The answer must not hold up a deployment where there is no route to CloudFormation. DESIGN §7. Milliseconds. */
const PATIENCE_MS = 2000

/**
 * The status of a stack, such as `UPDATE_ROLLBACK_IN_PROGRESS`; null when CloudFormation cannot be asked. Of a nested
 * stack it is that of the stack around it while that one rolls back: what such a rollback takes away is only in
 * `DELETE_IN_PROGRESS` itself, as if a person had deleted it.
 */
export async function readStackStatus(client: CloudFormationClient, stackId: string, log: Log): Promise<string | null> {
  const own = await describe(client, stackId, log)
  if (own?.parentId === undefined || rollsBack(own.status)) return own?.status ?? null
  const around = await readStackStatus(client, own.parentId, log)
  if (around === null) return own.status === 'DELETE_IN_PROGRESS' ? null : own.status
  return rollsBack(around) ? around : own.status
}

/** The stack around a nested one may have come to rest after a rollback long ago. */
function rollsBack(status: string): boolean {
  return /^(?:UPDATE_)?ROLLBACK_(?:.+_)?IN_PROGRESS$/.test(status)
}

interface Described {
  readonly status: string
  /** Of the stack around a nested one. */
  readonly parentId: string | undefined
}

async function describe(client: CloudFormationClient, stackId: string, log: Log): Promise<Described | null> {
  try {
    const command = new DescribeStacksCommand({ StackName: stackId })
    const { Stacks: stacks } = await client.send(command, { abortSignal: AbortSignal.timeout(PATIENCE_MS) })
    const [{ StackStatus: status, ParentId: parentId } = {}] = stacks ?? []
    return status === undefined ? null : { status, parentId }
  } catch (error) {
    log.info('CloudFormation cannot be asked for the status of the stack', { stackId, error: messageOf(error) })
    return null
  }
}
