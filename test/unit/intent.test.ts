import { describe, expect, test } from 'vitest'
import { attemptOf, hasNothingToTakeBack, mayOverwrite, overtakes, type Intent } from '../../lambda/intent.ts'

const base: Intent = {
  version: 1,
  resource: 'r',
  from: 'v1',
  to: 'v2',
  requestId: 'a',
  at: '2026-01-01T10:00:00.000Z',
  state: 'attempted',
  outcome: null,
  changed: null,
  reversal: false,
}
const announced: Intent = { ...base, state: 'announced' }
const failed: Intent = { ...base, state: 'concluded', outcome: 'failed', changed: false }
const between: Intent = { ...failed, changed: true }
const succeeded: Intent = { ...base, state: 'concluded', outcome: 'succeeded', changed: true }
const idle: Intent = { ...succeeded, changed: false }

describe('hasNothingToTakeBack', () => {
  test.each([
    ['nothing is known of it', null, true, false],
    ['it never came to a statement', base, true, true],
    ['it was killed while statements ran', announced, false, false],
    ['it failed and was rolled back', failed, true, true],
    ['it failed and left something', between, false, false],
    ['it succeeded', succeeded, false, false],
    ['it had nothing to do', idle, true, false],
    ['it may itself have been a rollback', { ...base, reversal: true }, true, false],
  ])('when %s', (_what, intent, confirmed, unknown) => {
    expect(hasNothingToTakeBack(intent, 'UPDATE_ROLLBACK_IN_PROGRESS')).toBe(confirmed)
    expect(hasNothingToTakeBack(intent, null)).toBe(unknown)
    expect(hasNothingToTakeBack(intent, 'UPDATE_IN_PROGRESS')).toBe(false)
  })
})

test('an attempt is written over what is over, never over statements that may have run, nor over its own event', () => {
  expect([null, base, announced, failed, succeeded].map((known) => mayOverwrite(known, 'b'))).toEqual([
    true,
    true,
    false,
    true,
    true,
  ])
  expect([base, announced, failed].map((known) => mayOverwrite(known, 'a'))).toEqual([false, false, false])
})

test('an event is overtaken by one that came after it, and not by its own second delivery', () => {
  const later = { ...base, requestId: 'b', at: '2026-01-01T10:00:01.000Z' }
  expect([overtakes(later, base), overtakes(base, later), overtakes(null, base)]).toEqual([true, false, false])
  expect(overtakes({ ...later, requestId: 'a' }, base)).toBe(false)
})

test('an event that is delivered again is as old as its first delivery', () => {
  const now = new Date('2026-01-01T12:00:00.000Z')
  expect(attemptOf(base, { requestId: 'a', now, known: announced }).at).toBe(base.at)
  expect(attemptOf(base, { requestId: 'b', now, known: announced }).at).toBe(now.toISOString())
})
