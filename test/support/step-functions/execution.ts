import type { StateMachine, TaskState } from './definition.ts'

/** What a task failed of. */
export interface TaskError {
  readonly error: string
  readonly cause: string
}

export type TaskResult = { readonly ok: true; readonly output: unknown } | ({ readonly ok: false } & TaskError)

export interface ExecutionSettings {
  readonly callFunction: (arn: string, input: unknown) => Promise<TaskResult>
  readonly sleep: (seconds: number) => Promise<void>
}

/** Runs a state machine to its end. */
export async function execute(machine: StateMachine, input: unknown, settings: ExecutionSettings): Promise<TaskResult> {
  let name: string | null = machine.startAt
  let data: unknown = input
  while (name !== null) {
    const state = machine.states.get(name)
    if (state === undefined) throw new Error(`There is no state "${name}"`)
    const result = await runTask(state, data, settings)
    if (result.ok) {
      data = result.output
      name = state.next
      continue
    }
    const catcher = state.catch.find(({ errorEquals }) => matches(errorEquals, result.error))
    if (catcher === undefined) return result
    data = { Error: result.error, Cause: result.cause }
    name = catcher.next
  }
  return { ok: true, output: data }
}

/** Every retrier counts for itself; the first that matches decides. */
async function runTask(state: TaskState, input: unknown, settings: ExecutionSettings): Promise<TaskResult> {
  const retries = state.retry.map(() => 0)
  for (;;) {
    const result = await settings.callFunction(state.resource, input)
    if (result.ok) return result
    const index = state.retry.findIndex(({ errorEquals }) => matches(errorEquals, result.error))
    const retrier = state.retry[index]
    const used = retries[index] ?? 0
    if (retrier === undefined || used >= retrier.maxAttempts) return result
    retries[index] = used + 1
    await settings.sleep(retrier.intervalSeconds * retrier.backoffRate ** used)
  }
}

/** All failures here are a task's own, so `States.TaskFailed` stands for every one of them. */
function matches(errorEquals: readonly string[], error: string): boolean {
  return errorEquals.some((wanted) => wanted === error || wanted === 'States.ALL' || wanted === 'States.TaskFailed')
}
