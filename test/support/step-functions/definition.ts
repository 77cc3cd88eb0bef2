import { fieldsOf, invalid, listOf, numberOf, textOf, type Fields } from './fields.ts'

/** A state machine as far as it is simulated. */
export interface StateMachine {
  readonly startAt: string
  readonly states: ReadonlyMap<string, State>
  /** Undefined: it may take as long as it likes. */
  readonly timeoutSeconds: number | undefined
}

export type State =
  | ({ readonly type: 'Task'; /** ARN of a Lambda function. */ readonly resource: string } & Working)
  | ({ readonly type: 'Parallel'; readonly branches: readonly StateMachine[] } & Working)
  | ({
      readonly type: 'Map'
      /** Names the object that holds the items: the parameters of `s3:getObject`. */
      readonly reader: Fields
      readonly selector: Fields | undefined
      readonly processor: StateMachine
      readonly concurrency: number
    } & Working)
  | { readonly type: 'Choice'; readonly choices: readonly Choice[]; readonly byDefault: string }
  | { readonly type: 'Wait'; readonly seconds: number; readonly next: string | null }
  | { readonly type: 'Succeed' }
  | { readonly type: 'Fail'; readonly error: string; readonly cause: string }

/** A state that works, and can fail of it. */
export interface Working {
  /** What the work is given; undefined: the state's input. */
  readonly parameters: Fields | undefined
  /** Where the result goes in the input; null: nowhere. */
  readonly resultPath: string | null
  readonly retry: readonly Retrier[]
  readonly catch: readonly Catcher[]
  /** The next state; null after the last one. */
  readonly next: string | null
}

export interface Choice {
  readonly variable: string
  readonly isTrue: boolean
  readonly next: string
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
  readonly resultPath: string | null
  readonly next: string
}

/** Retriers' defaults: states-language.net, "Retrying after error". */
const RETRY_DEFAULTS = { intervalSeconds: 1, maxAttempts: 3, backoffRate: 2 } as const
const WORKING = ['Type', 'Comment', 'Parameters', 'ResultPath', 'Retry', 'Catch', 'Next', 'End'] as const

/** Reads the Amazon States Language. What is not simulated is an error, never left out. */
export function parseDefinition(text: string): StateMachine {
  return parseMachine('the state machine', JSON.parse(text), ['TimeoutSeconds'])
}

function parseMachine(where: string, value: unknown, more: readonly string[] = []): StateMachine {
  const definition = fieldsOf(where, value, ['Comment', 'StartAt', 'States', ...more])
  const states = Object.entries(fieldsOf('States', definition['States']))
  const machine: StateMachine = {
    startAt: textOf(`StartAt of ${where}`, definition['StartAt']),
    states: new Map(states.map(([name, state]) => [name, parseState(name, state)])),
    timeoutSeconds: definition['TimeoutSeconds'] === undefined ? undefined : Number(definition['TimeoutSeconds']),
  }
  const missing = [machine.startAt, ...[...machine.states.values()].flatMap(targetsOf)].find(
    (name) => !machine.states.has(name),
  )
  if (missing !== undefined) throw invalid(`there is no state "${missing}"`)
  return machine
}

function targetsOf(state: State): readonly string[] {
  switch (state.type) {
    case 'Choice':
      return [...state.choices.map(({ next }) => next), state.byDefault]
    case 'Wait':
      return state.next === null ? [] : [state.next]
    case 'Succeed':
    case 'Fail':
      return []
    default:
      return [...(state.next === null ? [] : [state.next]), ...state.catch.map((catcher) => catcher.next)]
  }
}

function parseState(name: string, value: unknown): State {
  const type = fieldsOf(name, value)['Type']
  const parse = typeof type === 'string' ? PARSERS[type] : undefined
  if (parse === undefined) throw invalid(`${name} is a ${String(type)} state, which is not simulated`)
  return parse(name, value)
}

const PARSERS: Readonly<Record<string, (name: string, value: unknown) => State>> = {
  Task: (name, value) => {
    const state = fieldsOf(name, value, [...WORKING, 'Resource'])
    const resource = String(state['Resource'])
    if (!/^arn:[^:]+:lambda:/.test(resource))
      throw invalid(`the Resource of ${name} is no Lambda function: ${resource}`)
    return { type: 'Task', resource, ...parseWorking(name, state) }
  },
  Parallel: (name, value) => {
    const state = fieldsOf(name, value, [...WORKING, 'Branches'])
    const branches = listOf(`${name}.Branches`, state['Branches'])
    return {
      type: 'Parallel',
      branches: branches.map((branch) => parseMachine(`a branch of ${name}`, branch)),
      ...parseWorking(name, state),
    }
  },
  Map: parseMap,
  Choice: (name, value) => {
    const state = fieldsOf(name, value, ['Type', 'Comment', 'Choices', 'Default'])
    const choices = listOf(`${name}.Choices`, state['Choices']).map((choice): Choice => {
      const fields = fieldsOf(`a choice of ${name}`, choice, ['Variable', 'BooleanEquals', 'Next'])
      if (typeof fields['BooleanEquals'] !== 'boolean') throw invalid(`a choice of ${name} has no BooleanEquals`)
      const variable = textOf(`Variable of ${name}`, fields['Variable'])
      return { variable, isTrue: fields['BooleanEquals'], next: textOf(`Next of ${name}`, fields['Next']) }
    })
    return { type: 'Choice', choices, byDefault: textOf(`Default of ${name}`, state['Default']) }
  },
  Wait: (name, value) => {
    const state = fieldsOf(name, value, ['Type', 'Comment', 'Seconds', 'Next', 'End'])
    if (typeof state['Seconds'] !== 'number') throw invalid(`${name} has no Seconds`)
    return { type: 'Wait', seconds: state['Seconds'], next: nextOf(name, state) }
  },
  Succeed: (name, value) => {
    fieldsOf(name, value, ['Type', 'Comment'])
    return { type: 'Succeed' }
  },
  Fail: (name, value) => {
    const state = fieldsOf(name, value, ['Type', 'Comment', 'Error', 'Cause'])
    return { type: 'Fail', error: String(state['Error']), cause: String(state['Cause']) }
  },
}

/** A distributed map over the entries of a JSON array in S3. */
function parseMap(name: string, value: unknown): State {
  const own = ['ItemReader', 'ItemSelector', 'ItemProcessor', 'MaxConcurrency', 'ToleratedFailurePercentage']
  const state = fieldsOf(name, value, [...WORKING, ...own])
  const reader = fieldsOf(`${name}.ItemReader`, state['ItemReader'], ['Resource', 'ReaderConfig', 'Parameters'])
  if (!/^arn:[^:]+:states:::s3:getObject$/.test(String(reader['Resource']))) {
    throw invalid(`${name} reads its items with ${String(reader['Resource'])}`)
  }
  const { InputType: type } = fieldsOf(`${name}.ReaderConfig`, reader['ReaderConfig'], ['InputType'])
  if (type !== 'JSON') throw invalid(`${name} reads ${String(type)}`)
  const { ProcessorConfig: config, ...processor } = fieldsOf(`${name}.ItemProcessor`, state['ItemProcessor'])
  const { Mode, ExecutionType } = fieldsOf(`${name}.ProcessorConfig`, config, ['Mode', 'ExecutionType'])
  if (Mode !== 'DISTRIBUTED' || ExecutionType !== 'STANDARD') throw invalid(`${name} is not distributed`)
  if (state['ToleratedFailurePercentage'] !== 0) throw invalid(`${name} tolerates failures`)
  const selector = state['ItemSelector']
  return {
    type: 'Map',
    reader: fieldsOf(`${name}.ItemReader.Parameters`, reader['Parameters'], ['Bucket', 'Bucket.$', 'Key', 'Key.$']),
    selector: selector === undefined ? undefined : fieldsOf(`${name}.ItemSelector`, selector),
    processor: parseMachine(`the processor of ${name}`, processor),
    concurrency: numberOf(`${name}.MaxConcurrency`, state['MaxConcurrency'], 1000),
    ...parseWorking(name, state),
  }
}

function parseWorking(name: string, state: Fields): Working {
  const parameters = state['Parameters']
  return {
    parameters: parameters === undefined ? undefined : fieldsOf(`${name}.Parameters`, parameters),
    resultPath: resultPathOf(name, state),
    retry: listOf(`${name}.Retry`, state['Retry']).map((item) => parseRetrier(`${name}.Retry`, item)),
    catch: listOf(`${name}.Catch`, state['Catch']).map((item) => parseCatcher(`${name}.Catch`, item)),
    next: nextOf(name, state),
  }
}

function nextOf(name: string, state: Fields): string | null {
  const next = typeof state['Next'] === 'string' ? state['Next'] : null
  if ((next === null) !== (state['End'] === true)) throw invalid(`${name} must have either Next or End`)
  return next
}

function resultPathOf(name: string, { ResultPath: path = '$' }: Fields): string | null {
  if (path === null) return null
  if (typeof path !== 'string' || !/^\$(\.\w+)?$/.test(path)) throw invalid(`the ResultPath of ${name}`)
  return path
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
  const fields = fieldsOf(where, value, ['ErrorEquals', 'ResultPath', 'Next', 'Comment'])
  return {
    errorEquals: errorsOf(where, fields),
    resultPath: resultPathOf(where, fields),
    next: textOf(`Next of ${where}`, fields['Next']),
  }
}

function errorsOf(where: string, fields: Fields): readonly string[] {
  const errors = listOf(`${where}.ErrorEquals`, fields['ErrorEquals']).map(String)
  if (errors.length === 0) throw invalid(`${where}.ErrorEquals is empty`)
  if (errors.length > 1 && errors.includes('States.ALL')) throw invalid(`${where}: States.ALL must stand alone`)
  return errors
}
