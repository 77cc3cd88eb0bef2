import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { functionArn, type FunctionDefinition } from './definition.ts'
import { hasExited, nextEnding, type Ending } from './ending.ts'
import { containerEnvironment, nodeArguments, type Endpoints } from './environment.ts'
import { PAYLOAD_LIMIT_BYTES, responseTooLarge, sandboxFailure } from './failures.ts'

export interface ContainerSettings {
  readonly definition: FunctionDefinition
  /** Where the copied code lies. */
  readonly taskRoot: string
  readonly endpoints: Endpoints
  /** Open file that takes stdout and stderr. */
  readonly log: number
}

export interface Outcome {
  /** JSON text: the result, or the error object. */
  readonly payload: string
  readonly failed: boolean
  readonly timedOut: boolean
  readonly peakMb: number
}

/** One execution environment: one process, one invocation at a time. */
export interface Container {
  readonly invoke: (requestId: string, payload: string) => Promise<Outcome>
  /** False after a crash, a time-out or `destroy`. */
  readonly isUsable: () => boolean
  /** Kills the process at once, whatever it does. */
  readonly destroy: () => Promise<void>
}

const BOOTSTRAP = fileURLToPath(new URL('bootstrap.mjs', import.meta.url))
/** Loading the code has a limit of its own, before the function's time begins. */
const INIT_LIMIT_MS = 30_000

/** Starts the process; the code is loaded when the first invocation asks for it. */
export function startContainer(settings: ContainerSettings): Container {
  const child = launch(settings)
  let loaded = false
  const exchange = async (requestId: string, message: object | null, timeoutMs: number): Promise<Outcome> => {
    const waiting = nextEnding(child, { timeoutMs, memoryMb: settings.definition.memoryMb })
    if (message !== null && child.connected) child.send(message)
    const { ending, peakMb } = await waiting
    return { ...(await conclude(child, ending, requestId, settings.definition)), peakMb }
  }
  return {
    invoke: async (requestId, payload) => {
      thaw(child)
      if (!loaded) {
        const init = await exchange(requestId, null, INIT_LIMIT_MS)
        if (init.failed) return init
        loaded = true
      }
      const timeoutMs = settings.definition.timeoutSeconds * 1000
      const outcome = await exchange(requestId, invocation(settings, requestId, payload, timeoutMs), timeoutMs)
      freeze(child)
      return outcome
    },
    isUsable: () => !hasExited(child) && child.connected,
    destroy: () => kill(child),
  }
}

/** A frozen process would outlive this one. */
const living = new Set<ChildProcess>()
process.on('exit', () => living.forEach((child) => child.kill('SIGKILL')))

function launch({ definition, taskRoot, endpoints, log }: ContainerSettings): ChildProcess {
  const child = fork(BOOTSTRAP, {
    execPath: process.execPath,
    execArgv: [...nodeArguments(definition)],
    cwd: taskRoot,
    env: containerEnvironment(definition, taskRoot, endpoints),
    stdio: ['ignore', log, log, 'ipc'],
  })
  living.add(child)
  child.once('exit', () => living.delete(child))
  return child
}

function invocation(settings: ContainerSettings, requestId: string, payload: string, timeoutMs: number): object {
  return {
    requestId,
    payload,
    deadline: Date.now() + timeoutMs,
    functionArn: functionArn(settings.definition.name),
    traceId: `Root=1-${requestId.slice(0, 8)}-${requestId.replaceAll('-', '').slice(8)}`,
  }
}

async function conclude(
  child: ChildProcess,
  ending: Ending,
  requestId: string,
  definition: FunctionDefinition,
): Promise<Omit<Outcome, 'peakMb'>> {
  if (ending.kind !== 'message') {
    await kill(child)
    const timedOut = ending.kind === 'timeout'
    return { payload: sandboxFailure(ending, requestId, definition), failed: true, timedOut }
  }
  const { message } = ending
  if (message.type === 'ready') return { payload: 'null', failed: false, timedOut: false }
  if (message.type === 'fatal') await kill(child)
  const tooLarge = Buffer.byteLength(message.payload) > PAYLOAD_LIMIT_BYTES
  const payload = tooLarge ? responseTooLarge() : message.payload
  return { payload, failed: tooLarge || message.type !== 'result', timedOut: false }
}

/** Between invocations nothing runs in a container: work that was not awaited stands still. */
function freeze(child: ChildProcess): void {
  if (process.platform !== 'win32' && !hasExited(child)) child.kill('SIGSTOP')
}

function thaw(child: ChildProcess): void {
  if (process.platform !== 'win32' && !hasExited(child)) child.kill('SIGCONT')
}

async function kill(child: ChildProcess): Promise<void> {
  if (hasExited(child)) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}
