import { DescribeStacksCommand, type CloudFormationClient } from '@aws-sdk/client-cloudformation'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'

/** The answer must not hold up a deployment where there is no route to CloudFormation. DESIGN §7. Milliseconds. */
const PATIENCE_MS = 2000

/** The status of a stack, such as `UPDATE_ROLLBACK_IN_PROGRESS`; null when CloudFormation cannot be asked. */
export async function readStackStatus(client: CloudFormationClient, stackId: string, log: Log): Promise<string | null> {
  try {
    const command = new DescribeStacksCommand({ StackName: stackId })
    const { Stacks: stacks } = await client.send(command, { abortSignal: AbortSignal.timeout(PATIENCE_MS) })
    return stacks?.[0]?.StackStatus ?? null
  } catch (error) {
    log.info('CloudFormation cannot be asked for the status of the stack', { error: messageOf(error) })
    return null
  }
}
