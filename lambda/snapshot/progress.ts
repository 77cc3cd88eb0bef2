import type { Log } from '../log.ts'

/** Often enough to see that something moves, seldom enough not to fill a log. */
const INTERVAL_MS = 5000

export interface Progress {
  readonly addBytes: (bytes: number) => void
  readonly finishTable: (rows: number) => void
}

/** Reports tables, rows and bytes of a long piece of work at intervals. */
export function createProgress(log: Log, message: string, tablesTotal: number): Progress {
  let tables = 0
  let rows = 0
  let bytes = 0
  let reported = performance.now()
  const report = (): void => {
    if (performance.now() - reported < INTERVAL_MS) return
    reported = performance.now()
    log.info(message, { tables, tablesTotal, rows, bytes })
  }
  return {
    addBytes: (more) => {
      bytes += more
      report()
    },
    finishTable: (more) => {
      tables += 1
      rows += more
      report()
    },
  }
}
