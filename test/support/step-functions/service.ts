import { setTimeout as delay } from 'node:timers/promises'
import { arn } from '../aws.ts'
import { startHttpServer } from '../http-server.ts'
import type { LambdaService } from '../lambda/service.ts'
import { parseDefinition, type StateMachine } from './definition.ts'
import { execute, type ExecutionSettings, type TaskResult } from './execution.ts'
import { answerExecutionRequest, type DescribedExecution, type StartRequest } from './http-api.ts'

/** One run of a state machine. */
export interface Execution {
  readonly arn: string
  readonly stateMachineArn: string
  readonly input: unknown
  /** Undefined while it runs. */
  readonly result: TaskResult | undefined
}

/** A Step Functions service on this machine, whose tasks are functions of one Lambda service. */
export interface StepFunctions {
  /** Serves StartExecution, DescribeExecution and StopExecution; functions find it after `lambda.connect({ SFN: endpoint })`. */
  readonly endpoint: string
  /** Creates the state machine, or replaces its definition; gives its ARN. What runs ends by the old one. */
  readonly put: (name: string, definition: string) => string
  readonly remove: (stateMachineArn: string) => void
  /** Oldest first. */
  readonly executions: () => readonly Execution[]
  /** Waits until no execution runs, or none with such an input. */
  readonly settled: (concerns?: (input: unknown) => boolean) => Promise<void>
  /** Executions that still run go no further. */
  readonly stop: () => Promise<void>
}

export interface StepFunctionsOptions {
  /** Share of a retrier's seconds that is waited. @default 1 */
  readonly timeScale?: number
  /** Reads an object of S3, which holds a map's items. @default there are none */
  readonly readObject?: (bucket: string, key: string) => Promise<string>
}

export async function startStepFunctions(
  lambda: LambdaService,
  { timeScale = 1, readObject }: StepFunctionsOptions = {},
): Promise<StepFunctions> {
  const machines = new Map<string, StateMachine>()
  const executions: Execution[] = []
  const running = new Map<Promise<void>, unknown>()
  const stops = new Map<string, AbortController>()
  const stopping = new AbortController()
  const settings = {
    callFunction: (functionArn: string, input: unknown) => callFunction(lambda, functionArn, input),
    sleep: (seconds: number) => delay(seconds * 1000 * timeScale, undefined, { signal: stopping.signal }),
    ...(readObject === undefined ? {} : { readObject }),
  }
  const start = ({ stateMachineArn, name, input }: StartRequest): string | null => {
    const machine = machines.get(stateMachineArn)
    if (machine === undefined) throw new Error(`State Machine Does Not Exist: '${stateMachineArn}'`)
    const executionArn = `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`
    if (executions.some(({ arn }) => arn === executionArn)) return null
    const begun = { arn: executionArn, stateMachineArn, input, result: undefined }
    const index = executions.push(begun) - 1
    const stop = new AbortController()
    stops.set(executionArn, stop)
    const run = executeInTime(machine, input, { ...settings, signal: stop.signal })
      .then((result) => void (executions[index] = { ...begun, result }))
      .catch(() => {})
      .finally(() => running.delete(run))
    running.set(run, input)
    return executionArn
  }
  const exists = (stateMachineArn: string): boolean => machines.has(stateMachineArn)
  const describe = (executionArn: string): DescribedExecution | undefined => {
    const found = executions.find(({ arn }) => arn === executionArn)
    return found === undefined ? undefined : described(found, stops.get(executionArn)?.signal.aborted === true)
  }
  const stop = (executionArn: string): void => stops.get(executionArn)?.abort()
  const backend = { exists, start, describe, stop }
  const server = await startHttpServer(async (request) => answerExecutionRequest(request, backend))
  return {
    endpoint: server.endpoint,
    put: (name, definition) => {
      const stateMachineArn = arn('states', `stateMachine:${name}`)
      machines.set(stateMachineArn, parseDefinition(definition))
      return stateMachineArn
    },
    remove: (stateMachineArn) => void machines.delete(stateMachineArn),
    executions: () => executions,
    settled: async (concerns = () => true) => {
      await Promise.all([...running].filter(([, input]) => concerns(input)).map(([run]) => run))
    },
    stop: async () => {
      stopping.abort()
      await server.stop()
    },
  }
}

function described({ result, ...execution }: Execution, isStopped: boolean): DescribedExecution {
  if (isStopped) return { ...execution, status: 'ABORTED' }
  if (result === undefined) return { ...execution, status: 'RUNNING' }
  if (result.ok) return { ...execution, status: 'SUCCEEDED' }
  const { error, cause } = result
  return error === TIMEOUT ? { ...execution, status: 'TIMED_OUT' } : { ...execution, status: 'FAILED', error, cause }
}

const TIMEOUT = 'States.Timeout'

async function executeInTime(machine: StateMachine, input: unknown, settings: ExecutionSettings): Promise<TaskResult> {
  if (machine.timeoutSeconds === undefined) return execute(machine, input, settings)
  const over = new AbortController()
  const signal = settings.signal === undefined ? over.signal : AbortSignal.any([settings.signal, over.signal])
  const timer = setTimeout(() => over.abort(), machine.timeoutSeconds * 1000)
  try {
    const result = await execute(machine, input, { ...settings, signal })
    return over.signal.aborted ? { ok: false, error: TIMEOUT, cause: '' } : result
  } finally {
    clearTimeout(timer)
  }
}

/** Step Functions cuts a cause off here: docs.aws.amazon.com/step-functions/latest/apireference/API_TaskFailedEventDetails.html */
const CAUSE_LIMIT = 32_768

/** A function's error is known by its type; its cause is the whole error object as JSON. */
async function callFunction(lambda: LambdaService, functionArn: string, input: unknown): Promise<TaskResult> {
  if (lambda.definition(functionArn) === undefined) {
    return { ok: false, error: 'Lambda.ResourceNotFoundException', cause: `Function not found: ${functionArn}` }
  }
  const { payload, functionError } = await lambda.invoke(functionArn, input)
  const output = JSON.parse(payload) as unknown
  if (functionError === undefined) return { ok: true, output }
  const { errorType = 'Lambda.Unknown' } = output as { readonly errorType?: string }
  return { ok: false, error: errorType, cause: payload.slice(0, CAUSE_LIMIT) }
}
