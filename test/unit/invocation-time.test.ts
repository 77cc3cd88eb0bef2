import { describe, expect, it } from 'vitest'
import { ANSWER_MARGIN_MS, connectWithinMs, invocationTime, type InvocationTime } from '../../lambda/invocation-time.ts'

const MINUTE = 60_000

/** An invocation of 14 minutes that began at 0, and how to let time pass. */
function begun(deadline: number | null): {
  readonly time: InvocationTime
  readonly at: (ms: number) => InvocationTime
} {
  let now = 0
  const time = invocationTime(
    () => 14 * MINUTE - now,
    () => now,
    deadline,
  )
  const at = (ms: number): InvocationTime => {
    now = ms
    return time
  }
  return { time, at }
}

describe('the time of an invocation', () => {
  it('is its own, and never pauses, when no other follows', () => {
    const { at } = begun(null)
    expect(at(13 * MINUTE).remainingMs()).toBe(MINUTE)
    expect(at(13 * MINUTE).shouldPause()).toBe(false)
  })

  it('pauses in its second half when the whole run has more time', () => {
    const { at } = begun(60 * MINUTE)
    expect(at(7 * MINUTE).shouldPause()).toBe(false)
    expect(at(7 * MINUTE + 1).shouldPause()).toBe(true)
  })

  it('does not pause when the whole run ends before it', () => {
    const { at } = begun(13 * MINUTE)
    expect(at(8 * MINUTE).shouldPause()).toBe(false)
    expect(at(8 * MINUTE).remainingMs()).toBe(5 * MINUTE)
  })

  it('lets somebody wait for the answer until its own end, or for a while after the end of the whole run', () => {
    expect(
      begun(null)
        .at(13 * MINUTE)
        .answerWithinMs(),
    ).toBe(MINUTE)
    expect(
      begun(60 * MINUTE)
        .at(13 * MINUTE)
        .answerWithinMs(),
    ).toBe(MINUTE)
    expect(begun(MINUTE).at(MINUTE).answerWithinMs()).toBe(40_000)
    expect(
      begun(MINUTE)
        .at(2 * MINUTE)
        .answerWithinMs(),
    ).toBe(0)
  })

  it('has none left when the deadline has passed', () => {
    expect(
      begun(MINUTE)
        .at(2 * MINUTE)
        .remainingMs(),
    ).toBe(0)
  })
})

describe('the time to connect', () => {
  /** From two seconds to an hour. */
  const TIMES = Array.from({ length: 4 * 3598 + 1 }, (_, index) => 2000 + 250 * index)

  it('leaves enough for the answer, or as much as it takes itself', () => {
    const wrong = TIMES.filter((ms) => ms - connectWithinMs(ms) !== Math.min(ANSWER_MARGIN_MS, ms / 2))
    expect(wrong).toEqual([])
  })

  it('is never longer when less is left', () => {
    expect(TIMES.filter((ms) => connectWithinMs(ms - 250) > connectWithinMs(ms))).toEqual([])
  })

  it('is enough for a server that is up, also when the time of the whole run is over', () => {
    expect(connectWithinMs(0)).toBe(1000)
  })

  it('has no end on a terminal', () => {
    expect(connectWithinMs(Infinity)).toBe(Infinity)
  })
})
