import type { Hazard, Severity } from '../../analysis-contract.ts'
import { kindOf, type Work } from '../hazards/hazard.ts'

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
 * Bytes of table and indexes that a server gets through each second. What "npm run bench -- ddl" does took one core's time at
 * 58 to 100 MB/s for rewrites, 73 to 850 for indexes (text, numbers) and over 2,000 for scans, which storage holds up
 * sooner. A server differs by its storage and its load: an estimate says "about".
 */
const BYTES_PER_SECOND: { readonly [W in Exclude<Work, 'lock'>]: number } = {
  rewrite: 60_000_000,
  index: 100_000_000,
  scan: 400_000_000,
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
export function estimatedMs(hazard: Pick<Hazard, 'id'>, statistics: Statistics): number | null {
  const work = kindOf(hazard.id)?.work ?? null
  return work === null || work === 'lock' ? null : workMs(work, statistics)
}

/** About how long a server does this to a whole table. Milliseconds. */
export function workMs(work: Exclude<Work, 'lock'>, { bytes }: Pick<Statistics, 'bytes'>): number {
  return (bytes / BYTES_PER_SECOND[work]) * 1000
}

/** `48 GB, 120,000,000 rows, 120 writes/s`. */
export function sizeText(statistics: Statistics): string {
  const { bytes, writesPerSecond } = statistics
  const writes =
    writesPerSecond === null
      ? []
      : [`${writesPerSecond < 10 ? writesPerSecond.toFixed(1) : Math.round(writesPerSecond)} writes/s`]
  return [bytesText(bytes), rowsText(statistics), ...writes].join(', ')
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const

function bytesText(bytes: number): string {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(bytes, 1)) / 3))
  const value = bytes / 1000 ** power
  return `${value < 9.95 && power > 0 ? value.toFixed(1) : Math.round(value)} ${UNITS[power] ?? ''}`
}

/** `about 6 min`. */
export function aboutText(milliseconds: number): string {
  const seconds = milliseconds / 1000
  if (seconds < 1) return 'less than a second'
  if (seconds < 90) return `about ${Math.round(seconds)} s`
  const minutes = seconds / 60
  return minutes < 90 ? `about ${Math.round(minutes)} min` : `about ${(minutes / 60).toFixed(1)} h`
}

/** The hazard with its severity and, in its detail, what the size of its table means for it. */
export function weighed(hazard: Hazard, statistics: Statistics | undefined): Hazard {
  if (statistics === undefined || hazard.relation === null) return hazard
  const lasts = estimatedMs(hazard, statistics)
  const length = lasts === null ? '' : `: ${aboutText(lasts)}`
  return {
    ...weigh(hazard, statistics),
    detail: `${hazard.detail}; ${hazard.relation} has ${sizeText(statistics)}${length}`,
  }
}

/** `1,200,000 rows`, or `about …` where they were never counted. */
export function rowsText(statistics: Statistics): string {
  const rows = rowsOf(statistics).toLocaleString('en-US')
  return statistics.rows === null ? `about ${rows} rows` : `${rows} rows`
}
