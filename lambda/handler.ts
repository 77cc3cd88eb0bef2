import { createLambdaLog } from './adapters/lambda-log.ts'
import { compose, functionConfig } from './compose.ts'
import { isCustomResourceEvent } from './custom-resource-event.ts'
import { onEvent } from './custom-resource.ts'
import { LockstepError, reportOf, shortSentenceOf, UNTOUCHED } from './errors.ts'
import { onDemand } from './on-demand.ts'
import type { Log } from './log.ts'

/** What Lambda's context gives and this function uses. */
export interface LambdaContext {
  readonly awsRequestId: string
  readonly getRemainingTimeInMillis: () => number
}

/** Left for rolling back, recording and answering before Lambda ends the process. Milliseconds. */
const ANSWER_MARGIN_MS = 8000

/** The function's one entry: CloudFormation's events by their shape, everything else as an action. */
export async function handler(event: unknown, context: LambdaContext): Promise<unknown> {
  let log: Log | null = null
  const deadline = abortBefore(context)
  try {
    const config = functionConfig()
    log = createLambdaLog({ awsRequestId: context.awsRequestId, set: config.set })
    const lockstep = compose(config, log, {
      remainingMs: () => context.getRemainingTimeInMillis(),
      signal: deadline.signal,
    })
    return isCustomResourceEvent(event) ? await onEvent(lockstep, event) : await onDemand(lockstep, event)
  } catch (error) {
    throw invocationError(error, log)
  } finally {
    deadline.cancel()
  }
}

function abortBefore(context: LambdaContext): { readonly signal: AbortSignal; readonly cancel: () => void } {
  const controller = new AbortController()
  const timer = setTimeout(
    () => controller.abort(outOfTime()),
    Math.max(0, context.getRemainingTimeInMillis() - ANSWER_MARGIN_MS),
  )
  return { signal: controller.signal, cancel: () => clearTimeout(timer) }
}

function outOfTime(): LockstepError {
  return new LockstepError({
    code: 'DEADLINE_EXCEEDED',
    message: "The function's time is over, and the run was stopped.",
    state: UNTOUCHED,
    remedy: 'Deploy fewer migrations at a time, or split the one that is slow.',
  })
}

/**
 * The one place where an error leaves the function. The whole report goes to the log; the Provider framework sends
 * message and stack to CloudFormation without shortening them, so there is a short message and no stack.
 */
function invocationError(error: unknown, log: Log | null): Error {
  const report = reportOf(error)
  // "message" is the log line's own.
  const { message, ...fields } = report
  const stack = report.code === 'INTERNAL' && error instanceof Error ? { stack: error.stack ?? '' } : {}
  log?.error(message, { ...fields, ...stack })
  const short = new Error(shortSentenceOf(report))
  short.name = report.code
  short.stack = report.code
  return short
}
