import {
  DescribeExecutionCommand,
  StartExecutionCommand,
  StopExecutionCommand,
  type DescribeExecutionOutput,
  type SFNClient,
} from '@aws-sdk/client-sfn'
import { messageOf } from '../errors.ts'
import type { Execution, Executions } from '../snapshot/distributed/executions.ts'
import { Fault } from '../snapshot/fault.ts'

/** Executions of one state machine. */
export function createExecutions(client: SFNClient, stateMachineArn: string): Executions {
  const arnOf = (name: string): string => `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`
  return {
    start: (name, input) =>
      guarded('start', async () => {
        try {
          await client.send(new StartExecutionCommand({ stateMachineArn, name, input }))
        } catch (error) {
          if (!isNamed(error, 'ExecutionAlreadyExists')) throw error
        }
      }),
    find: (name) =>
      guarded('look for', async () => {
        try {
          return executionOf(await client.send(new DescribeExecutionCommand({ executionArn: arnOf(name) })))
        } catch (error) {
          if (isNamed(error, 'ExecutionDoesNotExist')) return null
          throw error
        }
      }),
    stop: (name, cause) =>
      guarded('stop', async () => {
        // Step Functions takes no more.
        await client.send(new StopExecutionCommand({ executionArn: arnOf(name), cause: cause.slice(0, 1000) }))
      }),
  }
}

function executionOf({ status, input, error, cause }: DescribeExecutionOutput): Execution {
  const running = status === 'RUNNING' || status === 'PENDING_REDRIVE'
  const told = [error, cause].filter((text) => text !== undefined && text !== '')
  return {
    status: running ? 'running' : status === 'SUCCEEDED' ? 'succeeded' : 'failed',
    input: input ?? '{}',
    cause: told.length === 0 ? null : told.join(': '),
  }
}

async function guarded<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw faultOf(error, `cannot ${doing} the execution that distributes the copy: ${messageOf(error)}`)
  }
}

function faultOf(error: unknown, failed: string): Error {
  if (isNamed(error, 'AccessDeniedException')) {
    return new Fault(
      failed,
      "Grant the function what the construct grants it for Snapshot.logical({ workers: 'distributed' }); a service control policy or a permission boundary may be in the way.",
      error,
    )
  }
  if (isNamed(error, 'StateMachineDoesNotExist')) {
    return new Fault(failed, 'Deploy the stack again: its state machine was deleted.', error)
  }
  if (isNamed(error, 'TimeoutError') || (error instanceof Error && 'code' in error)) {
    return new Fault(
      failed,
      'Check that the function reaches Step Functions: in an isolated subnet it needs the VPC endpoint com.amazonaws.<region>.states.',
      error,
    )
  }
  return new Error(failed, { cause: error })
}

function isNamed(error: unknown, name: string): boolean {
  return error instanceof Error && error.name === name
}
