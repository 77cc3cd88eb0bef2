import { describe, expect, test } from 'vitest'
import { parseDefinition } from '../../support/step-functions/definition.ts'
import { execute, type ExecutionSettings, type TaskResult } from '../../support/step-functions/execution.ts'

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

const CALL = { Type: 'Task', Resource: FIRST, End: true }

function machine(states: object, startAt = 'start'): string {
  return JSON.stringify({ StartAt: startAt, States: states })
}

/** A distributed map over the items of one object. */
function map(more: object = {}): string {
  return machine({
    start: {
      Type: 'Map',
      ItemReader: {
        Resource: 'arn:aws:states:::s3:getObject',
        ReaderConfig: { InputType: 'JSON' },
        Parameters: { Bucket: 'bucket', 'Key.$': '$.key' },
      },
      ItemSelector: { work: 'copy', 'prefix.$': '$.prefix', 'item.$': '$$.Map.Item.Value' },
      ItemProcessor: {
        ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
        StartAt: 'copy',
        States: { copy: CALL },
      },
      MaxConcurrency: 2,
      ToleratedFailurePercentage: 0,
      End: true,
      ...more,
    },
  })
}

/** Runs a machine whose function does this. */
function play(
  definition: string,
  callFunction: (input: unknown) => Promise<TaskResult>,
  more: Partial<ExecutionSettings> = {},
): Promise<TaskResult> {
  return execute(
    parseDefinition(definition),
    { key: 'items.json', prefix: 'p' },
    {
      callFunction: async (_, input) => callFunction(input),
      sleep: async () => {},
      readObject: async (bucket, key) => (bucket === 'bucket' && key === 'items.json' ? '[7,8,9]' : 'no such object'),
      ...more,
    },
  )
}

describe('a distributed map', () => {
  test('runs its items, of an object of S3, a few at a time, each with what its selector makes of it', async () => {
    const inputs: unknown[] = []
    let [running, most] = [0, 0]
    const result = await play(map(), async (input) => {
      inputs.push(input)
      running += 1
      most = Math.max(most, running)
      await new Promise((resolve) => setImmediate(resolve))
      running -= 1
      return { ok: true, output: (input as { readonly item: number }).item }
    })
    expect(inputs).toEqual([7, 8, 9].map((item) => ({ work: 'copy', prefix: 'p', item })))
    expect([result, most]).toEqual([{ ok: true, output: [7, 8, 9] }, 2])
  })

  test('fails when one item does, and begins no further one', async () => {
    const inputs: unknown[] = []
    const result = await play(map({ MaxConcurrency: 1 }), async (input) => {
      inputs.push(input)
      return FAILED
    })
    expect(result).toMatchObject({ ok: false, error: 'States.ExceedToleratedFailureThreshold' })
    expect(inputs).toHaveLength(1)
  })

  test('fails when there is no list', async () => {
    const reader = { Resource: 'arn:aws:states:::s3:getObject', ReaderConfig: { InputType: 'JSON' } }
    const definition = map({ ItemReader: { ...reader, Parameters: { Bucket: 'bucket', Key: 'other.json' } } })
    expect(await play(definition, async () => FAILED)).toMatchObject({ error: 'States.ItemReaderFailed' })
  })
})

function branch(work: string): object {
  return { StartAt: work, States: { [work]: { ...CALL, Parameters: { work, 'prefix.$': '$.prefix' } } } }
}

describe('a parallel state', () => {
  const parallel = machine({ start: { Type: 'Parallel', Branches: [branch('a'), branch('b')], End: true } })

  test('gives the results of its branches', async () => {
    const result = await play(parallel, async (input) => ({ ok: true, output: input }))
    expect(result).toEqual({
      ok: true,
      output: [
        { work: 'a', prefix: 'p' },
        { work: 'b', prefix: 'p' },
      ],
    })
  })

  test('fails at once when a branch does, whatever the other waits for', async () => {
    const forEver = new Promise<TaskResult>(() => {})
    const result = await play(parallel, async (input) =>
      (input as { readonly work: string }).work === 'a' ? FAILED : forEver,
    )
    expect(result).toEqual(FAILED)
  })
})

describe('choices and waits', () => {
  const loop = machine({
    start: { ...CALL, End: undefined, ResultPath: '$.answer', Next: 'done?' },
    'done?': {
      Type: 'Choice',
      Choices: [{ Variable: '$.answer.done', BooleanEquals: true, Next: 'end' }],
      Default: 'wait',
    },
    wait: { Type: 'Wait', Seconds: 5, Next: 'start' },
    end: { Type: 'Succeed' },
  })

  test('go round until it is done, with the result beside the input', async () => {
    const [inputs, slept]: [unknown[], number[]] = [[], []]
    const result = await play(
      loop,
      async (input) => {
        inputs.push(input)
        return { ok: true, output: { done: inputs.length === 2 } }
      },
      { sleep: async (seconds) => void slept.push(seconds) },
    )
    const input = { key: 'items.json', prefix: 'p' }
    expect(inputs).toEqual([input, { ...input, answer: { done: false } }])
    expect([result, slept]).toEqual([{ ok: true, output: { ...input, answer: { done: true } } }, [5]])
  })

  test('end where the execution is stopped', async () => {
    const controller = new AbortController()
    const sleep = async (): Promise<void> => controller.abort()
    expect(
      await play(loop, async () => ({ ok: true, output: { done: false } }), { sleep, signal: controller.signal }),
    ).toMatchObject({ error: 'States.Aborted' })
  })

  test('end in a failure', async () => {
    const fails = machine({ start: { Type: 'Fail', Error: 'Broken', Cause: 'by hand' } })
    expect(await play(fails, async () => FAILED)).toEqual({ ok: false, error: 'Broken', cause: 'by hand' })
  })
})

describe('a definition', () => {
  test.each<readonly [string, string, RegExp]>([
    ['with another type of state', waiter({ Type: 'Pass' }), /first is a Pass state/],
    ['with a field that its state has not', waiter({ Type: 'Succeed' }), /"Resource" of first/],
    ['with a field that is not simulated', waiter({ TimeoutSeconds: 5 }), /"TimeoutSeconds" of first/],
    ['with a field of the machine that is not simulated', waiter({}, { Version: '1.0' }), /"Version" of the/],
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
