import { LockstepError } from '../../errors.ts'
import type { EngineContext } from '../context.ts'
import { SqlError } from '../database.ts'
import { CANCELLED, DEADLINE_IS_NEAR_MS, StepError } from '../failure/failure.ts'

/** Ends a step that goes on in a later invocation. Thrown, because it ends whatever the migration's own code is in. */
export class Paused extends Error {
  override readonly name = 'Paused'

  constructor() {
    super("The invocation's time is over; the next one goes on here.")
  }
}

/** Whether an error is a pause, and not a failure. */
export function isPause(error: unknown): boolean {
  return error instanceof Paused || (error instanceof StepError && error.cause instanceof Paused)
}

/** What is asked of a run that may pause. */
export interface Pausable {
  readonly context: EngineContext
  /** Whether this invocation has done something that a later one need not do again. */
  readonly progressed: boolean
}

/**
 * Whether to stop here, at a point that a later invocation can go on from. Never before something was done: an
 * invocation that does nothing would be followed by another one.
 */
export function pausesHere({ context, progressed }: Pausable): boolean {
  return progressed && context.shouldPause()
}

/**
 * Whether a step was cut off by the end of an invocation that it had not for itself: the next one gives it the whole.
 */
export function wasCutShort(error: unknown, { context, progressed }: Pausable): error is StepError {
  if (!(error instanceof StepError) || !progressed || !context.shouldPause()) return false
  const { cause } = error
  if (cause instanceof LockstepError) return cause.code === 'DEADLINE_EXCEEDED'
  return cause instanceof SqlError && cause.sqlState === CANCELLED && context.remainingMs() < DEADLINE_IS_NEAR_MS
}
