import { spawn, spawnSync, type ChildProcess, type SpawnOptions } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, parse } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Binaries } from './embedded-binaries.ts'
import { isAlive } from './embedded-users.ts'

/** PostgreSQL refuses to run as root; as root the server runs as this user (`nobody` everywhere). */
export const SERVER_USER_ID = 65_534

/** A TCP port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      server.close(() => resolve(port))
    })
  })
}

/**
 * As root, drops to {@link SERVER_USER_ID}. Where the directories above are closed to other users (a clone under
 * `mktemp -d` or `/root`), the process keeps one capability, to pass through directories.
 */
function launch(tools: Binaries, program: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  if (process.getuid?.() !== 0) return spawn(program, args, options)
  const data = args[1] ?? '/'
  const id = SERVER_USER_ID
  if (isOpenToOthers(dirname(tools.postgres)) && isOpenToOthers(dirname(data))) {
    return spawn(program, args, { ...options, uid: id, gid: id })
  }
  const hasSetpriv = spawnSync('setpriv', ['--version']).status === 0
  if (!hasSetpriv) return spawn(program, args, { ...options, uid: id, gid: id })
  const drop = [
    `--reuid=${id}`,
    `--regid=${id}`,
    '--clear-groups',
    '--inh-caps=+dac_override',
    '--ambient-caps=+dac_override',
  ]
  return spawn('setpriv', [...drop, '--', program, ...args], options)
}

function isOpenToOthers(directory: string): boolean {
  const { root } = parse(directory)
  for (let at = directory; ; at = dirname(at)) {
    if (existsSync(at) && (statSync(at).mode & 0o005) !== 0o005) return false
    if (at === root) return true
  }
}

export interface Ended {
  readonly status: number | null
  readonly output: string
}

/** Runs a program to its end and gives its status and its output, stdout and stderr together. */
export function runToEnd(tools: Binaries, program: string, args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const child = launch(tools, program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: serverEnvironment() })
    const output = collect(child)
    child.on('error', (error) => resolve({ status: null, output: `${output()}${error.message}` }))
    child.on('close', (status) => resolve({ status, output: output() }))
  })
}

function serverEnvironment(): Record<string, string> {
  return { PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8', TZ: 'UTC' }
}

const KEPT_OUTPUT = 20_000

function collect(child: ChildProcess): () => string {
  let text = ''
  const add = (chunk: Buffer): void => {
    text = (text + chunk.toString('utf8')).slice(-KEPT_OUTPUT)
  }
  child.stdout?.on('data', add)
  child.stderr?.on('data', add)
  return () => text
}

/**
 * Starts PostgreSQL detached from this process, with its output in a file, so that it can outlive the command that
 * started it. Waits until it accepts connections, exits, or the time is over; a null process id means that it did not start.
 */
export async function startServer(
  tools: Binaries,
  args: readonly string[],
  options: { readonly logFile: string; readonly timeoutMs: number },
): Promise<{ readonly processId: number | null; readonly log: string }> {
  const output = openSync(options.logFile, 'w', 0o600)
  const child = launch(tools, tools.postgres, args, {
    stdio: ['ignore', output, output],
    env: serverEnvironment(),
    detached: true,
  })
  closeSync(output)
  const state: { failure: string | null } = { failure: null }
  child.on('exit', () => (state.failure ??= ''))
  child.on('error', (error) => (state.failure ??= error.message))
  const log = (): string => readFileSync(options.logFile, 'utf8').slice(-KEPT_OUTPUT)
  const deadline = Date.now() + options.timeoutMs
  while (state.failure === null && Date.now() < deadline) {
    if (/database system is ready to accept (?:read-only )?connections/.test(log())) {
      child.unref()
      return { processId: child.pid ?? null, log: log() }
    }
    await delay(15)
  }
  child.kill('SIGKILL')
  return { processId: null, log: `${log()}${state.failure ?? ''}` }
}

/**
 * Asks PostgreSQL to end once its sessions have left, and after five seconds (with `abort`, at once) to end them.
 * By process id, because the command that stops the server need not be the one that started it.
 */
export async function stopServer(processId: number, abort: boolean): Promise<void> {
  const steps = [
    ['SIGTERM', 5000],
    ['SIGINT', 10_000],
    ['SIGQUIT', 5000],
  ] as const
  for (const [signal, patienceMs] of abort ? steps.slice(1) : steps) {
    if (!isAlive(processId)) return
    process.kill(processId, signal)
    const until = Date.now() + patienceMs
    while (isAlive(processId) && Date.now() < until) await delay(10)
  }
}
