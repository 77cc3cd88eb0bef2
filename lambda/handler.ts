import { createLambdaLog } from './adapters/lambda-log.ts'
import { compose, functionConfig } from './compose.ts'
import { customResourceEvent, type CustomResourceEvent } from './custom-resource-event.ts'
import type { Config } from './config.ts'
import { isComplete, onEvent } from './custom-resource.ts'
import { OVER_TIME } from './engine/failure/failure.ts'
import { LockstepError, reportOf, shortSentenceOf, UNTOUCHED } from './errors.ts'
import { ANSWER_MARGIN_MS, invocationTime, type InvocationTime } from './invocation-time.ts'
import type { Lockstep } from './lockstep.ts'
import { onDemand } from './on-demand.ts'
import type { Log } from './log.ts'
import { isSnapshotWork } from './snapshot-work-event.ts'
import { doSnapshotWork } from './snapshot-work.ts'

/** What Lambda's context gives and this function uses. */
export interface LambdaContext {
  readonly awsRequestId: string
  readonly getRemainingTimeInMillis: () => number
}

/** The function's one entry: CloudFormation's events by their shape, everything else as an action. */
export async function handler(event: unknown, context: LambdaContext): Promise<unknown> {
  let log: Log | null = null
  let abort: Abort | null = null
  try {
    const config = functionConfig()
    log = createLambdaLog({ awsRequestId: context.awsRequestId, set: config.set })
    const request = customResourceEvent(event)
    const time = timeOf(request, context, config)
    abort = abortBefore(time, config)
    const lockstep = compose(config, log, { ...time, signal: abort.signal })
    return request === null ? await answerOther(lockstep, event) : await answer(lockstep, request)
  } catch (error) {
    throw invocationError(error, log)
  } finally {
    abort?.cancel()
  }
}

async function answer(lockstep: Lockstep, event: CustomResourceEvent): Promise<unknown> {
  return event.Continuation === undefined ? onEvent(lockstep, event) : isComplete(lockstep, event, event.Continuation)
}

async function answerOther(lockstep: Lockstep, event: unknown): Promise<unknown> {
  return isSnapshotWork(event) ? doSnapshotWork(lockstep, event) : onDemand(lockstep, event)
}

/** A deployment may take more than one invocation; what a person asks for is one. */
function timeOf(event: CustomResourceEvent | null, context: LambdaContext, { totalTimeoutMs }: Config): InvocationTime {
  const isDeployment = event !== null && totalTimeoutMs !== null
  const whole = isDeployment ? (event.Continuation?.deadline ?? Date.now() + totalTimeoutMs) : null
  return invocationTime(() => context.getRemainingTimeInMillis(), Date.now, whole)
}

interface Abort {
  readonly signal: AbortSignal
  readonly cancel: () => void
}

function abortBefore(time: InvocationTime, config: Config): Abort {
  const controller = new AbortController()
  const timer = setTimeout(
    () => controller.abort(outOfTime(config)),
    Math.max(0, time.remainingMs() - ANSWER_MARGIN_MS),
  )
  return { signal: controller.signal, cancel: () => clearTimeout(timer) }
}

function outOfTime({ totalTimeoutMs }: Config): LockstepError {
  const whole = totalTimeoutMs === null ? '' : `, of ${Math.round(totalTimeoutMs / 1000)} s in all,`
  return new LockstepError({
    code: 'DEADLINE_EXCEEDED',
    message: `The function's time${whole} is over, and the run was stopped.`,
    state: UNTOUCHED,
    remedy: OVER_TIME,
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
