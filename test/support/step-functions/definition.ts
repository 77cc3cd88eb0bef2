/** A state machine as far as it is simulated: tasks that call Lambda functions. */
export interface StateMachine {
  readonly startAt: string
  readonly states: ReadonlyMap<string, TaskState>
}

export interface TaskState {
  /** ARN of a Lambda function. */
  readonly resource: string
  readonly retry: readonly Retrier[]
  readonly catch: readonly Catcher[]
  /** The next state; null after the last one. */
  readonly next: string | null
}

export interface Retrier {
  readonly errorEquals: readonly string[]
  readonly intervalSeconds: number
  /** How often it is tried again; 0 is never. */
  readonly maxAttempts: number
  readonly backoffRate: number
}

export interface Catcher {
  readonly errorEquals: readonly string[]
  readonly next: string
}

type Fields = Readonly<Record<string, unknown>>

/** Retriers' defaults: states-language.net, "Retrying after error". */
const RETRY_DEFAULTS = { intervalSeconds: 1, maxAttempts: 3, backoffRate: 2 } as const

/** Reads the Amazon States Language. What is not simulated is an error, never left out. */
export function parseDefinition(text: string): StateMachine {
  const definition = fieldsOf('the state machine', JSON.parse(text), ['Comment', 'StartAt', 'States'])
  const states = Object.entries(fieldsOf('States', definition['States']))
  const machine = {
    startAt: String(definition['StartAt']),
    states: new Map(states.map(([name, state]) => [name, parseState(name, state)])),
  }
  const targets = [...machine.states.values()].flatMap(({ next, catch: catchers }) => [
    ...(next === null ? [] : [next]),
    ...catchers.map((catcher) => catcher.next),
  ])
  const missing = [machine.startAt, ...targets].find((name) => !machine.states.has(name))
  if (missing !== undefined) throw invalid(`there is no state "${missing}"`)
  return machine
}

function parseState(name: string, value: unknown): TaskState {
  const known = ['Type', 'Comment', 'Resource', 'Retry', 'Catch', 'Next', 'End']
  const state = fieldsOf(name, value, known)
  if (state['Type'] !== 'Task') throw invalid(`${name} is a ${String(state['Type'])} state; only Task is simulated`)
  const resource = String(state['Resource'])
  if (!/^arn:[^:]+:lambda:/.test(resource)) throw invalid(`the Resource of ${name} is no Lambda function: ${resource}`)
  const next = typeof state['Next'] === 'string' ? state['Next'] : null
  if ((next === null) !== (state['End'] === true)) throw invalid(`${name} must have either Next or End`)
  return {
    resource,
    retry: listOf(`${name}.Retry`, state['Retry']).map((item) => parseRetrier(`${name}.Retry`, item)),
    catch: listOf(`${name}.Catch`, state['Catch']).map((item) => parseCatcher(`${name}.Catch`, item)),
    next,
  }
}

function parseRetrier(where: string, value: unknown): Retrier {
  const fields = fieldsOf(where, value, ['ErrorEquals', 'IntervalSeconds', 'MaxAttempts', 'BackoffRate', 'Comment'])
  const intervalSeconds = numberOf(
    `${where}.IntervalSeconds`,
    fields['IntervalSeconds'],
    RETRY_DEFAULTS.intervalSeconds,
  )
  const maxAttempts = numberOf(`${where}.MaxAttempts`, fields['MaxAttempts'], RETRY_DEFAULTS.maxAttempts)
  const backoffRate = numberOf(`${where}.BackoffRate`, fields['BackoffRate'], RETRY_DEFAULTS.backoffRate)
  if (!Number.isInteger(intervalSeconds) || intervalSeconds < 1) throw invalid(`${where}.IntervalSeconds`)
  if (!Number.isInteger(maxAttempts) || maxAttempts < 0) throw invalid(`${where}.MaxAttempts`)
  if (backoffRate < 1) throw invalid(`${where}.BackoffRate`)
  return { errorEquals: errorsOf(where, fields), intervalSeconds, maxAttempts, backoffRate }
}

function parseCatcher(where: string, value: unknown): Catcher {
  const fields = fieldsOf(where, value, ['ErrorEquals', 'Next', 'Comment'])
  return { errorEquals: errorsOf(where, fields), next: String(fields['Next']) }
}

function errorsOf(where: string, fields: Fields): readonly string[] {
  const errors = listOf(`${where}.ErrorEquals`, fields['ErrorEquals']).map(String)
  if (errors.length === 0) throw invalid(`${where}.ErrorEquals is empty`)
  if (errors.length > 1 && errors.includes('States.ALL')) throw invalid(`${where}: States.ALL must stand alone`)
  return errors
}

/** @param known - @default any field */
function fieldsOf(where: string, value: unknown, known?: readonly string[]): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(`${where} is no object`)
  const unknown = Object.keys(value).find((key) => known !== undefined && !known.includes(key))
  if (unknown !== undefined) throw invalid(`"${unknown}" of ${where} is not simulated`)
  return value as Fields
}

function listOf(where: string, value: unknown): readonly unknown[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) throw invalid(`${where} is no list`)
  return value
}

function numberOf(where: string, value: unknown, byDefault: number): number {
  if (value === undefined) return byDefault
  if (typeof value !== 'number') throw invalid(`${where} is no number`)
  return value
}

function invalid(reason: string): Error {
  return new Error(`Invalid State Machine Definition: ${reason}`)
}
