import { spawn } from 'node:child_process'

/** What a command of the command line came to. */
export interface CommandEnd {
  /** Its JSON document; null when it was killed. */
  readonly answer: Answer | null
  readonly hung: boolean
  readonly stderr: string
}

/** The parts of the answers of `up`, `down` and `restore` that are checked. */
export interface Answer {
  readonly status?: 'succeeded' | 'failed'
  readonly rolledBack?: boolean
  readonly current?: string | null
  readonly replaced?: string | null
  readonly error?: { readonly code: string; readonly message: string; readonly state: string }
}

export interface RunningCommand {
  /** Without a chance to clean up. */
  readonly kill: () => void
  readonly ended: Promise<CommandEnd>
}

const MAIN = new URL('../../cli/main.ts', import.meta.url).pathname
const PATIENCE_MS = 90_000

/** Starts the command line in a process of its own. */
export function startCommand(args: readonly string[]): RunningCommand {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, ...args, '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [stdout, stderr, hung] = ['', '', false]
  child.stdout.on('data', (data: Buffer) => (stdout += data.toString('utf8')))
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString('utf8')))
  const timer = setTimeout(() => {
    hung = true
    child.kill('SIGKILL')
  }, PATIENCE_MS)
  const ended = new Promise<CommandEnd>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (_, signal) => {
      clearTimeout(timer)
      resolve({ answer: signal === null ? (JSON.parse(stdout) as Answer) : null, hung, stderr })
    })
  })
  return { kill: () => void child.kill('SIGKILL'), ended }
}
