import { spawn } from 'node:child_process'
import { END, type Answer, type Job, type JobEnd } from './command.ts'

/** Processes that do jobs one at a time and can be killed in the middle of one. */
export interface Children {
  readonly start: (job: Job) => RunningJob
  readonly stop: () => Promise<void>
}

export interface RunningJob {
  /** Without a chance to clean up. */
  readonly kill: () => void
  readonly ended: Promise<JobEnd>
}

const PROGRAM = new URL('./child.ts', import.meta.url).pathname
const PATIENCE_MS = 90_000

/** Starts the first process; after each kill the next one gets warm while the checks go on. */
export function startChildren(): Children {
  let child = startChild()
  return {
    start: (job) => {
      const own = child
      let [isKilled, hung, isOver] = [false, false, false]
      const kill = (): void => {
        if (isOver) return
        isKilled = true
        own.kill()
        child = startChild()
      }
      const timer = setTimeout(() => {
        hung = true
        kill()
      }, PATIENCE_MS)
      const ended = own.ask(JSON.stringify(job)).then((text): JobEnd => {
        isOver = true
        clearTimeout(timer)
        if (isKilled) return { answer: null, hung }
        if (text === null) child = startChild()
        return { answer: answerOf(text, own.stderr()), hung }
      })
      return { kill, ended }
    },
    stop: () => child.stop(),
  }
}

function answerOf(text: string | null, stderr: string): Answer {
  if (text === null) throw new Error(`The process ended by itself: ${stderr.slice(-2000)}`)
  return JSON.parse(text) as Answer
}

interface Child {
  /** Resolves with what it writes up to the end of the job; null when the process is gone. */
  readonly ask: (line: string) => Promise<string | null>
  readonly stderr: () => string
  readonly kill: () => void
  readonly stop: () => Promise<void>
}

function startChild(): Child {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', PROGRAM], {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const { promise: closed, resolve: close } = Promise.withResolvers<null>()
  let [stdout, stderr] = ['', '']
  child.on('error', (error) => {
    stderr += error.message
    close(null)
  })
  child.on('close', () => close(null))
  // A process that was killed does not read what is still on its way to it.
  child.stdin.on('error', () => {})
  let tell: ((text: string) => void) | null = null
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    // More than one message never waits: the next job is given after the answer to the one before.
    const end = stdout.indexOf(END)
    if (end < 0) return
    const message = stdout.slice(0, end)
    stdout = stdout.slice(end + END.length)
    tell?.(message)
  })
  const message = (): Promise<string | null> =>
    Promise.race([new Promise<string>((resolve) => (tell = resolve)), closed])
  const ready = message()
  return {
    ask: async (line) => {
      if ((await ready) === null) return null
      stderr = ''
      const answer = message()
      child.stdin.write(`${line}\n`)
      return answer
    },
    stderr: () => stderr,
    kill: () => void child.kill('SIGKILL'),
    stop: async () => {
      child.kill('SIGKILL')
      await closed
    },
  }
}
