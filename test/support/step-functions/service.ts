import { setTimeout as delay } from 'node:timers/promises'
import { arn } from '../aws.ts'
import { startHttpServer } from '../http-server.ts'
import type { LambdaService } from '../lambda/service.ts'
import { parseDefinition, type StateMachine } from './definition.ts'
import { execute, type TaskResult } from './execution.ts'
import { answerStartExecution, type StartRequest } from './http-api.ts'

/** One run of a state machine. */
export interface Execution {
  readonly arn: string
  readonly input: unknown
  /** Undefined while it runs. */
  readonly result: TaskResult | undefined
}

/** A Step Functions service on this machine, whose tasks are functions of one Lambda service. */
export interface StepFunctions {
  /** Serves StartExecution; functions find it after `lambda.connect({ SFN: endpoint })`. */
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
}

export async function startStepFunctions(
  lambda: LambdaService,
  { timeScale = 1 }: StepFunctionsOptions = {},
): Promise<StepFunctions> {
  const machines = new Map<string, StateMachine>()
  const executions: Execution[] = []
  const running = new Map<Promise<void>, unknown>()
  const stopping = new AbortController()
  const settings = {
    callFunction: (functionArn: string, input: unknown) => callFunction(lambda, functionArn, input),
    sleep: (seconds: number) => delay(seconds * 1000 * timeScale, undefined, { signal: stopping.signal }),
  }
  const start = ({ stateMachineArn, name, input }: StartRequest): string => {
    const machine = machines.get(stateMachineArn)
    if (machine === undefined) throw new Error(`State Machine Does Not Exist: '${stateMachineArn}'`)
    const executionArn = `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`
    const index = executions.push({ arn: executionArn, input, result: undefined }) - 1
    const run = execute(machine, input, settings)
      .then((result) => void (executions[index] = { arn: executionArn, input, result }))
      .catch(() => {})
      .finally(() => running.delete(run))
    running.set(run, input)
    return executionArn
  }
  const exists = (stateMachineArn: string): boolean => machines.has(stateMachineArn)
  const server = await startHttpServer(async (request) => answerStartExecution(request, { exists, start }))
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
