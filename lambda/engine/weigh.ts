import type { Hazard, Severity } from '../analysis-contract.ts'
import { kindOf, type Work } from './hazard.ts'

/** What the server knows of a relation, its partitions counted in. */
export interface Statistics {
  /** An estimate. Null: the table was never analysed. */
  readonly rows: number | null
  /** The table with its indexes. */
  readonly bytes: number
  /** Rows inserted, updated and deleted each second, on average. Null: not known. */
  readonly writesPerSecond: number | null
}

/** Rows from which on a hazard that grows with the table is a warning, an error, critical. */
const THRESHOLDS: readonly (readonly [rows: number, severity: Severity])[] = [
  [10_000_000, 'critical'],
  [1_000_000, 'error'],
  [10_000, 'warning'],
]

/** A row of a table that was never analysed is taken for this long. Bytes, indexes included. */
const TYPICAL_ROW_BYTES = 150

/**
 * Bytes of table and indexes that a server gets through each second, on storage that does not hold it up: half of what
 * "npm run bench -- ddl" measures on one core, because a server at work shares it. So an estimate says "about".
 */
const BYTES_PER_SECOND: { readonly [W in Exclude<Work, 'lock'>]: number } = {
  rewrite: 40_000_000,
  index: 100_000_000,
  scan: 500_000_000,
}

/** The hazard with the severity that the size of its table gives it. */
export function weigh(hazard: Hazard, statistics: Statistics | undefined): Hazard {
  const work = kindOf(hazard.id)?.work ?? null
  if (work === null || statistics === undefined) return hazard
  const severity = severityOf(rowsOf(statistics))
  // A lock alone is as long as what it waits for: a large table makes it no worse than it is.
  return { ...hazard, severity: work === 'lock' ? milder(severity, hazard.severity) : severity }
}

function severityOf(rows: number): Severity {
  return THRESHOLDS.find(([least]) => rows >= least)?.[1] ?? 'notice'
}

const ORDER: readonly Severity[] = ['notice', 'warning', 'error', 'critical']

function milder(left: Severity, right: Severity): Severity {
  return ORDER.indexOf(left) < ORDER.indexOf(right) ? left : right
}

function rowsOf({ rows, bytes }: Statistics): number {
  return rows ?? Math.round(bytes / TYPICAL_ROW_BYTES)
}

/** About how long the work of a hazard lasts. Milliseconds; null where it does not grow with the table. */
export function estimatedMs(hazard: Pick<Hazard, 'id'>, { bytes }: Statistics): number | null {
  const work = kindOf(hazard.id)?.work ?? null
  return work === null || work === 'lock' ? null : (bytes / BYTES_PER_SECOND[work]) * 1000
}

/** `1,200,000 rows`, or `about …` where they were never counted. */
export function rowsText(statistics: Statistics): string {
  const rows = rowsOf(statistics).toLocaleString('en-US')
  return statistics.rows === null ? `about ${rows} rows` : `${rows} rows`
}
