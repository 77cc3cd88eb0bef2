import type { Log } from '../log.ts'

/** Soon enough to see that something moves. */
const FIRST_MS = 1000
/** Seldom enough not to fill a log. */
const INTERVAL_MS = 5000

export interface Progress {
  /** @param work How much of the total work that was, when it is not the same. @default bytes */
  readonly addBytes: (bytes: number, work?: number) => void
  readonly addRows: (rows: number) => void
  readonly finishTable: (rows?: number) => void
}

/**
 * Reports tables, rows and bytes of a long piece of work at intervals.
 *
 * @param workTotal In bytes; with it, the part that is done and the time that is left are reported. @default unknown
 */
export function createProgress(log: Log, message: string, tablesTotal: number, workTotal?: number): Progress {
  const began = performance.now()
  let [tables, rows, bytes, work] = [0, 0, 0, 0]
  let due = began + FIRST_MS
  const report = (): void => {
    const now = performance.now()
    if (now < due) return
    due = now + INTERVAL_MS
    log.info(message, { tables, tablesTotal, rows, bytes, ...outlook(work, workTotal, now - began) })
  }
  return {
    addBytes: (more, done = more) => {
      bytes += more
      work += done
      report()
    },
    addRows: (more) => void (rows += more),
    finishTable: (more = 0) => {
      tables += 1
      rows += more
      report()
    },
  }
}

/** What is done in percent, and for how long it will go on like this. */
function outlook(
  work: number,
  total: number | undefined,
  elapsedMs: number,
): { readonly percent?: number; readonly leftMs?: number } {
  if (total === undefined || total === 0 || work === 0) return {}
  const share = Math.min(1, work / total)
  return { percent: Math.floor(share * 100), leftMs: Math.round((elapsedMs * (1 - share)) / share) }
}
