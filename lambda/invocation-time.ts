import { SECONDS_TO_ANSWER } from './contract.ts'

/** How long an invocation has, and whether others follow. */
export interface InvocationTime {
  /** Milliseconds until the process is ended from outside, or the whole run's time is over. */
  readonly remainingMs: () => number
  /** Milliseconds until nobody waits for an answer any more: later than the end of the whole run. */
  readonly answerWithinMs: () => number
  /** Whether to leave the rest to the next invocation, at a point where that can go on. */
  readonly shouldPause: () => boolean
  /** When the time of the whole run is over, in milliseconds since 1970. Null: this invocation is all there is. */
  readonly deadline: number | null
}

/** The whole run begins a moment after CloudFormation has sent its event, and the answer takes a moment. Milliseconds. */
const FOR_THE_WAY_MS = 20_000

/**
 * The time of an invocation that belongs to a run with a deadline of its own. It pauses once half of its time is gone,
 * so that every migration has at least half an invocation to itself; and not when the deadline comes before its own end.
 *
 * @param ownMs - milliseconds left of this invocation
 * @param now - milliseconds since 1970
 */
export function invocationTime(ownMs: () => number, now: () => number, deadline: number | null): InvocationTime {
  const whole = ownMs()
  const untilDeadline = (laterMs = 0): number =>
    deadline === null ? Infinity : Math.max(0, deadline + laterMs - now())
  return {
    remainingMs: () => Math.min(ownMs(), untilDeadline()),
    answerWithinMs: () => Math.min(ownMs(), untilDeadline(SECONDS_TO_ANSWER * 1000 - FOR_THE_WAY_MS)),
    shouldPause: () => deadline !== null && ownMs() < whole / 2 && untilDeadline() > ownMs(),
    deadline,
  }
}

/** Left for rolling back, recording and answering before Lambda ends the process. Milliseconds. */
export const ANSWER_MARGIN_MS = 8000
/** A server that is up answers sooner. Milliseconds. */
const SHORTEST_CONNECT_MS = 1000

/**
 * How long connecting may take. What follows it needs time too, if only to answer that it has failed. Within the margin
 * a statement is still cancelled and a lost session regained: half of what is left is for that. Pure. Milliseconds.
 */
export function connectWithinMs(remainingMs: number): number {
  return Math.max(SHORTEST_CONNECT_MS, remainingMs / 2, remainingMs - ANSWER_MARGIN_MS)
}
