/** Time, passed in so that decisions about it can be tested. */
export interface Clock {
  readonly now: () => Date
  /** Monotonic milliseconds, for durations. */
  readonly monotonic: () => number
  readonly sleep: (milliseconds: number) => Promise<void>
}

/** @param seconds - since the epoch, as a database has them */
export function toTime(seconds: unknown): Date {
  return new Date(Math.round(Number(seconds) * 1000))
}
