import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { startHttpServer } from '../http-server.ts'
import { invokeWithRetries } from './asynchronous.ts'
import { functionArn, functionName, type FunctionDefinition } from './definition.ts'
import type { Endpoints } from './environment.ts'
import { answerApiRequest } from './http-api.ts'
import type { Invocation } from './invocation.ts'
import { createRegistry, type Registered } from './registry.ts'

/** A Lambda service on this machine: functions are real processes with Lambda's environment and limits. */
export interface LambdaService {
  /** Serves the Invoke and GetFunction calls of any AWS client. */
  readonly endpoint: string
  /** Creates the function, or replaces its code and configuration; what runs already ends on the old code. */
  readonly deploy: (definition: FunctionDefinition) => Promise<string>
  readonly remove: (nameOrArn: string) => Promise<void>
  readonly definition: (nameOrArn: string) => FunctionDefinition | undefined
  /** A failed invocation is a result; only a function that does not exist is an error. */
  readonly invoke: (nameOrArn: string, event: unknown) => Promise<Invocation>
  /** Invocation type `Event`: runs again after a function error, twice at most. Ends when Lambda has given up or is done. */
  readonly invokeAsynchronously: (nameOrArn: string, event: unknown) => Promise<void>
  /** Functions that are deployed from now on find these services too. */
  readonly connect: (endpoints: Endpoints) => void
  /** Kills what runs at once, as when the machine below it is lost. */
  readonly crash: (nameOrArn: string) => Promise<void>
  /** The next `count` HTTP calls do invoke the function, but their connection is cut before the answer. */
  readonly dropConnections: (nameOrArn: string, count: number) => void
  /** Finished invocations, oldest first. */
  readonly invocations: (nameOrArn?: string) => readonly Invocation[]
  /** Everything that functions wrote to stdout and stderr, with Lambda's own START, END and REPORT lines. */
  readonly logs: (nameOrArn?: string) => Promise<string>
  readonly stop: () => Promise<void>
}

export interface LambdaOptions {
  /** Share of the minutes that Lambda pauses before it runs a failed asynchronous invocation again. @default 0 */
  readonly retryPauseScale?: number
}

/** Starts an empty Lambda service; `endpoints` are where its functions find other services. */
export async function startLambda(
  endpoints: Endpoints = {},
  { retryPauseScale = 0 }: LambdaOptions = {},
): Promise<LambdaService> {
  let services = endpoints
  const stopping = new AbortController()
  const registry = await createRegistry()
  const finished: Invocation[] = []
  const drops = new Map<string, number>()
  const find = (nameOrArn: string): Registered => {
    const entry = registry.find(nameOrArn)
    if (entry === undefined) throw new Error(`Function not found: ${functionArn(functionName(nameOrArn))}`)
    return entry
  }
  const invoke = async (nameOrArn: string, event: unknown, requestId: string = randomUUID()): Promise<Invocation> => {
    const invocation = await run(find(nameOrArn), event, requestId)
    finished.push(invocation)
    return invocation
  }
  const sleep = (milliseconds: number): Promise<unknown> =>
    delay(milliseconds * retryPauseScale, undefined, { signal: stopping.signal })
  const invokeAsynchronously = async (nameOrArn: string, event: unknown): Promise<void> => {
    const requestId = randomUUID()
    await invokeWithRetries(() => invoke(nameOrArn, event, requestId), sleep)
  }
  const dropsConnection = (name: string): boolean => {
    const left = drops.get(name) ?? 0
    drops.set(name, Math.max(0, left - 1))
    return left > 0
  }
  const definition = (nameOrArn: string): FunctionDefinition | undefined => registry.find(nameOrArn)?.definition
  const backend = { definition, invoke, invokeAsynchronously, dropsConnection }
  const server = await startHttpServer((request) => answerApiRequest(request, backend))
  return {
    endpoint: server.endpoint,
    deploy: (definition) => registry.deploy(definition, { ...services, LAMBDA: server.endpoint }),
    remove: registry.remove,
    definition,
    invoke: (nameOrArn, event) => invoke(nameOrArn, event),
    invokeAsynchronously,
    connect: (more) => void (services = { ...services, ...more }),
    crash: (nameOrArn) => find(nameOrArn).deployed.crash(),
    dropConnections: (nameOrArn, count) => void drops.set(functionName(nameOrArn), count),
    invocations: (nameOrArn) =>
      finished.filter((one) => nameOrArn === undefined || one.functionName === functionName(nameOrArn)),
    logs: registry.logs,
    stop: async () => {
      stopping.abort()
      await server.stop()
      await registry.destroy()
    },
  }
}

async function run({ definition, deployed }: Registered, event: unknown, requestId: string): Promise<Invocation> {
  const text = JSON.stringify(event) ?? 'null'
  const startedAt = performance.now()
  const { payload, failed, peakMb } = await deployed.invoke(requestId, text)
  return {
    functionName: definition.name,
    requestId,
    event: text,
    payload,
    ...(failed ? { functionError: 'Unhandled' as const } : {}),
    durationMs: performance.now() - startedAt,
    maxMemoryMb: peakMb,
  }
}
