import type { Log } from '../log.ts'

/** Soon enough to see that something moves. */
const FIRST_MS = 1000
/** Seldom enough not to fill a log. */
const INTERVAL_MS = 5000

/** How copying goes on. Milliseconds. */
export interface Outlook {
  readonly elapsedMs: number
  /** At this speed. */
  readonly restMs: number
}

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
 * @param onOutlook Told at the same intervals, once the speed is known.
 */
export function createProgress(
  log: Log,
  message: string,
  tablesTotal: number,
  workTotal?: number,
  onOutlook: (outlook: Outlook) => void = () => {},
): Progress {
  const began = performance.now()
  let [tables, rows, bytes, work] = [0, 0, 0, 0]
  let due = began + FIRST_MS
  const report = (): void => {
    const now = performance.now()
    if (now < due) return
    due = now + INTERVAL_MS
    const elapsedMs = now - began
    const seen = outlook(work, workTotal, elapsedMs)
    log.info(message, { tables, tablesTotal, rows, bytes, ...seen })
    if (seen.leftMs !== undefined) onOutlook({ elapsedMs, restMs: seen.leftMs })
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
  if (total === undefined || total === 0) return {}
  const share = Math.min(1, work / total)
  const percent = Math.floor(share * 100)
  // The first bytes say nothing of the speed.
  return percent === 0 ? { percent } : { percent, leftMs: Math.round((elapsedMs * (1 - share)) / share) }
}
