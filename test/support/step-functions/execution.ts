import type { State, StateMachine, Working } from './definition.ts'
import type { Fields } from './fields.ts'
import { fill, place, read, type ContextObject } from './paths.ts'

/** What a state failed of. */
export interface TaskError {
  readonly error: string
  readonly cause: string
}

export type TaskResult = { readonly ok: true; readonly output: unknown } | ({ readonly ok: false } & TaskError)

export interface ExecutionSettings {
  readonly callFunction: (arn: string, input: unknown) => Promise<TaskResult>
  readonly sleep: (seconds: number) => Promise<void>
  /** Reads an object of S3, which holds a map's items. @default there are none */
  readonly readObject?: (bucket: string, key: string) => Promise<string>
  /** Once aborted, no further state begins; what runs in a function goes on by itself. */
  readonly signal?: AbortSignal
}

const ABORTED = {
  ok: false,
  error: 'States.Aborted',
  cause: 'The execution was stopped.',
} as const satisfies TaskResult
/** Of an input or output of a state: docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
const LARGEST_PAYLOAD = 262_144

/** Runs a state machine to its end. */
export async function execute(machine: StateMachine, input: unknown, settings: ExecutionSettings): Promise<TaskResult> {
  let name: string | null = machine.startAt
  let data: unknown = input
  while (name !== null) {
    if (settings.signal?.aborted === true) return ABORTED
    if (JSON.stringify(data).length > LARGEST_PAYLOAD) {
      return { ok: false, error: 'States.DataLimitExceeded', cause: `The input of ${name} is too large.` }
    }
    const state = machine.states.get(name)
    if (state === undefined) throw new Error(`There is no state "${name}"`)
    const step = await run(state, data, settings)
    if ('error' in step) return { ok: false, ...step }
    ;({ data, next: name } = step)
  }
  return { ok: true, output: data }
}

type Step = { readonly data: unknown; readonly next: string | null } | TaskError

async function run(state: State, data: unknown, settings: ExecutionSettings): Promise<Step> {
  switch (state.type) {
    case 'Succeed':
      return { data, next: null }
    case 'Fail':
      return { error: state.error, cause: state.cause }
    case 'Wait':
      await settings.sleep(state.seconds)
      return { data, next: state.next }
    case 'Choice': {
      const chosen = state.choices.find(({ variable, isTrue }) => read(variable, data) === isTrue)
      return { data, next: chosen?.next ?? state.byDefault }
    }
    case 'Task':
      return work(state, data, settings, (given) => settings.callFunction(state.resource, given))
    case 'Parallel':
      return work(state, data, settings, (given) => runBranches(state.branches, given, settings))
    case 'Map':
      return work(state, data, settings, (given) => runItems(state, given, settings))
    default:
      return state satisfies never
  }
}

/** Every retrier counts for itself; the first that matches decides. */
async function work(
  state: Working,
  data: unknown,
  settings: ExecutionSettings,
  perform: (given: unknown) => Promise<TaskResult>,
): Promise<Step> {
  const given = state.parameters === undefined ? data : fill(state.parameters, data)
  const retries = state.retry.map(() => 0)
  for (;;) {
    const result = await perform(given)
    if (result.ok) return { data: place(state.resultPath, data, result.output), next: state.next }
    if (settings.signal?.aborted === true) return ABORTED
    const index = state.retry.findIndex(({ errorEquals }) => matches(errorEquals, result.error))
    const retrier = state.retry[index]
    const used = retries[index] ?? 0
    if (retrier === undefined || used >= retrier.maxAttempts) return caught(state, data, result)
    retries[index] = used + 1
    await settings.sleep(retrier.intervalSeconds * retrier.backoffRate ** used)
  }
}

function caught(state: Working, data: unknown, { error, cause }: TaskError): Step {
  const catcher = state.catch.find(({ errorEquals }) => matches(errorEquals, error))
  if (catcher === undefined) return { error, cause }
  return { data: place(catcher.resultPath, data, { Error: error, Cause: cause }), next: catcher.next }
}

/** When one branch fails, the others go no further, and the state has failed at once. */
async function runBranches(
  branches: readonly StateMachine[],
  input: unknown,
  settings: ExecutionSettings,
): Promise<TaskResult> {
  return together(settings, branches.length, (signal, index) => {
    const branch = branches[index]
    if (branch === undefined) throw new Error(`There is no branch ${index}`)
    return execute(branch, input, { ...settings, signal })
  })
}

/** Every item is an execution of its own; none may fail. */
async function runItems(
  { reader, selector, processor, concurrency }: Extract<State, { readonly type: 'Map' }>,
  input: unknown,
  settings: ExecutionSettings,
): Promise<TaskResult> {
  const { Bucket: bucket, Key: key } = fill(reader, input) as Fields & { readonly Bucket: string; readonly Key: string }
  const text = await settings.readObject?.(bucket, key).catch((error: unknown) => String(error))
  const items = parseItems(text)
  if (items === null) return { ok: false, error: 'States.ItemReaderFailed', cause: `${bucket}/${key}: ${text ?? ''}` }
  const outputs: unknown[] = []
  let next = 0
  const worker = async (signal: AbortSignal): Promise<TaskResult> => {
    for (let index = next++; index < items.length; index = next++) {
      const context: ContextObject = { Map: { Item: { Value: items[index], Index: index } } }
      const given = selector === undefined ? items[index] : fill(selector, input, context)
      const result = await execute(processor, given, { ...settings, signal })
      if (!result.ok) {
        const cause = `The item ${index} failed: ${result.error} ${result.cause}`
        return { ok: false, error: 'States.ExceedToleratedFailureThreshold', cause }
      }
      outputs[index] = result.output
    }
    return { ok: true, output: null }
  }
  const result = await together(settings, Math.min(concurrency, items.length), worker)
  return result.ok ? { ok: true, output: outputs } : result
}

function parseItems(text: string | undefined): readonly unknown[] | null {
  try {
    const items: unknown = JSON.parse(text ?? '')
    return Array.isArray(items) ? items : null
  } catch {
    return null
  }
}

async function together(
  { signal }: ExecutionSettings,
  count: number,
  perform: (signal: AbortSignal, index: number) => Promise<TaskResult>,
): Promise<TaskResult> {
  const own = new AbortController()
  const both = signal === undefined ? own.signal : AbortSignal.any([signal, own.signal])
  const { promise: failure, resolve: fail } = Promise.withResolvers<TaskResult>()
  const all = Array.from({ length: count }, async (_, index) => {
    const result = await perform(both, index)
    if (!result.ok) fail(result)
    return result
  })
  const outputs = Promise.all(all).then((results): TaskResult => {
    const failed = results.find((result) => !result.ok)
    return failed ?? { ok: true, output: results.map((result) => (result.ok ? result.output : null)) }
  })
  const result = await Promise.race([failure, outputs])
  own.abort()
  return result
}

/** `States.TaskFailed` stands for every failure but a timeout. */
function matches(errorEquals: readonly string[], error: string): boolean {
  return errorEquals.some((wanted) => wanted === error || wanted === 'States.ALL' || wanted === 'States.TaskFailed')
}
