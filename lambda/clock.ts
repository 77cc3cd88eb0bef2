/** Time, passed in so that decisions about it can be tested. */
export interface Clock {
  readonly now: () => Date
  /** Monotonic milliseconds, for durations. */
  readonly monotonic: () => number
  readonly sleep: (milliseconds: number) => Promise<void>
}
