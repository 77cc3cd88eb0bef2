import { describe, expect, test } from 'vitest'
import { parseDefinition } from '../../support/step-functions/definition.ts'
import { execute, type TaskResult } from '../../support/step-functions/execution.ts'

const FIRST = 'arn:aws:lambda:eu-central-1:111122223333:function:first'
const LAST = 'arn:aws:lambda:eu-central-1:111122223333:function:last'
const RETRY = { ErrorEquals: ['States.ALL'], IntervalSeconds: 5, MaxAttempts: 3, BackoffRate: 2 }

/** The shape of the Provider framework's waiter. */
function waiter(first: object = {}, rest: object = {}): string {
  const polls = {
    Type: 'Task',
    Resource: FIRST,
    End: true,
    Retry: [RETRY],
    Catch: [{ ErrorEquals: ['States.ALL'], Next: 'last' }],
    ...first,
  }
  return JSON.stringify({
    StartAt: 'first',
    States: { first: polls, last: { Type: 'Task', Resource: LAST, End: true } },
    ...rest,
  })
}

const FAILED: TaskResult = { ok: false, error: 'Error', cause: '{"errorMessage":"not yet"}' }

/** Runs a machine whose first task gives these results, the last one for ever. */
async function run(
  definition: string,
  results: readonly TaskResult[],
): Promise<{ readonly result: TaskResult; readonly calls: readonly unknown[]; readonly slept: readonly number[] }> {
  const calls: unknown[] = []
  const slept: number[] = []
  const result = await execute(
    parseDefinition(definition),
    { n: 1 },
    {
      callFunction: async (arn, input) => {
        calls.push([arn === FIRST ? 'first' : 'last', input])
        if (arn === LAST) return { ok: true, output: 'caught' }
        return results[Math.min(calls.length, results.length) - 1] ?? FAILED
      },
      sleep: async (seconds) => void slept.push(seconds),
    },
  )
  return { result, calls, slept }
}

describe('a task', () => {
  test('that succeeds ends the machine with its output', async () => {
    const { result, calls } = await run(waiter(), [{ ok: true, output: { done: true } }])
    expect([result, calls]).toEqual([{ ok: true, output: { done: true } }, [['first', { n: 1 }]]])
  })

  test('that fails is tried again with the same input, after pauses that grow', async () => {
    const { result, calls, slept } = await run(waiter(), [FAILED, FAILED, { ok: true, output: 'late' }])
    expect([result, calls.length, slept]).toEqual([{ ok: true, output: 'late' }, 3, [5, 10]])
    expect(calls).toEqual([
      ['first', { n: 1 }],
      ['first', { n: 1 }],
      ['first', { n: 1 }],
    ])
  })

  test('that uses up its retries is caught: the next state gets the error and its cause', async () => {
    const { result, calls, slept } = await run(waiter(), [FAILED])
    expect(slept).toEqual([5, 10, 20])
    expect(calls).toHaveLength(5)
    expect(calls.at(-1)).toEqual(['last', { Error: 'Error', Cause: '{"errorMessage":"not yet"}' }])
    expect(result).toEqual({ ok: true, output: 'caught' })
  })

  test.each([
    ['without a catcher', { Catch: [] }, 4],
    ['whose error no retrier names', { Catch: [], Retry: [{ ...RETRY, ErrorEquals: ['Other'] }] }, 1],
    ['without retries', { Catch: [], Retry: [{ ...RETRY, MaxAttempts: 0 }] }, 1],
    ['with the default retrier', { Catch: [], Retry: [{ ErrorEquals: ['States.TaskFailed'] }] }, 4],
  ])('%s fails the machine', async (_name, first, calls) => {
    const ran = await run(waiter(first), [FAILED])
    expect([ran.result, ran.calls.length]).toEqual([FAILED, calls])
  })

  test('is tried again by the first retrier that matches, each with attempts of its own', async () => {
    const other: TaskResult = { ok: false, error: 'Other', cause: '' }
    const retriers = [
      { ErrorEquals: ['Other'], IntervalSeconds: 1, MaxAttempts: 1 },
      { ...RETRY, MaxAttempts: 1 },
    ]
    const { result, slept } = await run(waiter({ Retry: retriers, Catch: [] }), [FAILED, other, FAILED])
    expect([result, slept]).toEqual([FAILED, [5, 1]])
  })
})

describe('a definition', () => {
  test.each<readonly [string, string, RegExp]>([
    ['with another type of state', waiter({ Type: 'Wait' }), /first is a Wait state/],
    ['with a field that is not simulated', waiter({ TimeoutSeconds: 5 }), /"TimeoutSeconds" of first/],
    ['with a field of the machine that is not simulated', waiter({}, { TimeoutSeconds: 5 }), /"TimeoutSeconds" of the/],
    ['with a jitter', waiter({ Retry: [{ ...RETRY, JitterStrategy: 'FULL' }] }), /"JitterStrategy" of first.Retry/],
    ['with an interval of no seconds', waiter({ Retry: [{ ...RETRY, IntervalSeconds: 0 }] }), /IntervalSeconds/],
    ['with a back-off that shrinks', waiter({ Retry: [{ ...RETRY, BackoffRate: 0.5 }] }), /BackoffRate/],
    ['with a service integration', waiter({ Resource: 'arn:aws:states:::lambda:invoke' }), /no Lambda function/],
    ['with an unknown target', waiter({ Catch: [{ ErrorEquals: ['States.ALL'], Next: 'x' }] }), /no state "x"/],
    ['with an end that goes on', waiter({ Next: 'last' }), /either Next or End/],
  ])('%s is an error', (_name, definition, message) => {
    expect(() => parseDefinition(definition)).toThrow(message)
  })
})
