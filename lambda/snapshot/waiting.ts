import type { Clock } from '../clock.ts'
import { Paused } from '../engine/run/pause.ts'
import { Fault } from './fault.ts'

/** The time of whoever waits for something that goes on elsewhere. */
export interface WaitingTime {
  readonly clock: Clock
  /** Milliseconds until the process is ended from outside. */
  readonly remainingMs: () => number
  /** Whether to leave the rest to the next invocation. */
  readonly shouldPause: () => boolean
  readonly signal?: AbortSignal
}

export interface Waiting {
  /**
   * Lets some time pass before the next question.
   *
   * @param state - how far it is, for the error when the time is over
   * @throws Paused when the next invocation is to go on; Fault when there is none
   */
  readonly next: (state: string) => Promise<void>
}

/** Between two questions, in milliseconds: first soon, for a small database; then seldom. */
const INTERVALS_MS = [1000, 2000, 4000, 8000]
const LONGEST_INTERVAL_MS = 15_000
/** The part of the time left that passes between two questions at most: whoever sleeps does not see it end. */
const LONGEST_NAP = 0.1
/** The part of the time it had that a wait leaves for what comes after it. */
const LEFT_FOR_THE_RUN = 0.25

/** Waits in turns that grow, and for no longer than leaves time for the run. @param remedy - when the time is over */
export function waiting({ clock, remainingMs, shouldPause, signal }: WaitingTime, remedy: string): Waiting {
  const reserve = remainingMs() === Infinity ? 0 : remainingMs() * LEFT_FOR_THE_RUN
  const began = clock.monotonic()
  let turn = 0
  return {
    next: async (state) => {
      if (shouldPause()) throw new Paused()
      const interval = Math.min(INTERVALS_MS[turn] ?? LONGEST_INTERVAL_MS, remainingMs() * LONGEST_NAP)
      if (remainingMs() - interval < reserve) throw outOfTime(state, clock.monotonic() - began, remedy)
      turn += 1
      await clock.sleep(interval)
      signal?.throwIfAborted()
    },
  }
}

function outOfTime(state: string, waitedMs: number, remedy: string): Fault {
  const seconds = Math.round(waitedMs / 1000)
  return new Fault(`${state} after ${seconds} s, and the rest of the time is for the run.`, remedy)
}
