import { once } from 'node:events'
import { reasonOf, type OperationResult } from './operation.ts'
import type { DeployOptions } from './stack-types.ts'

const SIBLING_FAILED = 'A sibling resource failed.'
const LATER_FAILED = 'A later resource failed.'

/** Applies a template beside and in front of resources that fail, as the options say, until it is interrupted. */
export async function goForward(
  apply: () => Promise<OperationResult>,
  { failLater = false, failMeanwhile, rollback = true }: DeployOptions,
  interruption: AbortController,
): Promise<OperationResult> {
  const { signal } = interruption
  const failure = new Error(SIBLING_FAILED)
  const sibling = failMeanwhile?.()
    // Without rollback, CloudFormation lets go on what is not behind the failed one.
    .then(() => (rollback === true ? interruption.abort(failure) : undefined))
    .catch((error: unknown) => interruption.abort(error))
  const result = await apply()
  if (result.failure !== undefined) return result
  if (sibling !== undefined) await Promise.race([sibling, interrupted(signal)])
  if (signal.aborted) return { ...result, failure: reasonOf(signal) }
  if (sibling !== undefined) return { ...result, failure: SIBLING_FAILED }
  return failLater ? { ...result, failure: LATER_FAILED } : result
}

async function interrupted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort')
}
