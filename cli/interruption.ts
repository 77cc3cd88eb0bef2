import type { ErrorReport } from '../lambda/contract.ts'

const EXIT_CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const
type EndSignal = keyof typeof EXIT_CODES

/** How long a run has to stop and to roll back by itself. */
const GRACE_MS = 3000

/** A signal has asked this process to end, and the work did not stop by itself. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
  readonly report: ErrorReport

  constructor(signal: EndSignal) {
    const message = `The command was ended by ${signal} before it was done.`
    super(message)
    this.report = {
      code: 'INTERRUPTED',
      message,
      state: 'PostgreSQL rolls back what was not committed; what was committed is in the history.',
      remedy: 'Run "status" to see where the database stands, then run the command again.',
    }
  }
}

/** Ending a command early, first gently. */
export interface Interruption {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal
  /** Rejects with {@link Interrupted} some seconds later. */
  readonly overdue: Promise<never>
  /** What shells expect of a process that a signal has ended; null when none came. */
  readonly exitCode: () => number | null
}

/** Listens for signals. Only the first counts: npm and a terminal each send their own. */
export function listenForInterruption(): Interruption {
  const controller = new AbortController()
  const { promise: overdue, reject } = Promise.withResolvers<never>()
  // It is raced against work that may end first.
  overdue.catch(() => {})
  let exitCode: number | null = null
  for (const signal of Object.keys(EXIT_CODES) as EndSignal[]) {
    process.on(signal, () => {
      if (exitCode !== null) return
      exitCode = EXIT_CODES[signal]
      const reason = new Interrupted(signal)
      setTimeout(() => reject(reason), GRACE_MS)
      controller.abort(reason)
    })
  }
  return { signal: controller.signal, overdue, exitCode: () => exitCode }
}
