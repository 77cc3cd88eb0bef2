/** PostgreSQL cuts longer names off silently, so Lockstep never makes one. */
export const MAX_NAME_BYTES = 63

/** Sorts by time, is readable, and is a plain name in S3 and in every file system: `20261121T083000Z`. */
export function timeStamp(date: Date): string {
  return `${date.toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`
}

/** `<name>_<word>_20261121083000`; the name is shortened, between characters, to fit PostgreSQL's limit. */
export function datedDatabaseName(name: string, word: 'restoring' | 'replaced' | 'restored', date: Date): string {
  const suffix = `_${word}_${timeStamp(date).replaceAll(/\D/g, '')}`
  let base = name
  while (Buffer.byteLength(base + suffix) > MAX_NAME_BYTES) base = Array.from(base).slice(0, -1).join('')
  return base + suffix
}

/** Folders of a store in which other things than snapshots are kept. */
const OTHER_FOLDERS = new Set(['archive', 'intents'])

/** The folder of a database: every byte that is not plain in S3, URLs, shells and file systems as `~hh`. */
export function databaseSegment(name: string): string {
  const isTaken = OTHER_FOLDERS.has(name)
  return [...Buffer.from(name)].map((byte, index) => (isTaken && index === 0 ? escaped(byte) : plain(byte))).join('')
}

function plain(byte: number): string {
  const character = String.fromCharCode(byte)
  return /[A-Za-z0-9_-]/.test(character) ? character : escaped(byte)
}

function escaped(byte: number): string {
  return `~${byte.toString(16).padStart(2, '0')}`
}

/** `<database>/<UTC time>-<run>`, relative to the store. */
export function snapshotPrefix(database: string, date: Date, runId: string): string {
  return `${databaseSegment(database)}/${timeStamp(date)}-${runSegment(runId)}`
}

/** Whether {@link snapshotPrefix} has made the prefix for this run. */
export function isOfRun(prefix: string, runId: string): boolean {
  const [, run] = /^[^/]+\/[^/-]+-(.+)$/.exec(prefix) ?? []
  return run === runSegment(runId)
}

function runSegment(runId: string): string {
  return runId.replaceAll(/[^A-Za-z0-9_-]/g, '_')
}

/**
 * `data/0001-public.orders.copy.zst`, or `data/0001-public.orders.03.copy.zst` for one of several parts. The number
 * makes it unique; the rest is for people.
 */
export function dataKey(
  index: number,
  table: { readonly schema: string; readonly name: string },
  part: { readonly index: number; readonly of: number } = { index: 0, of: 1 },
): string {
  const label = `${table.schema}.${table.name}`.replaceAll(/[^A-Za-z0-9_.-]/g, '_').slice(0, 100)
  const number = part.of === 1 ? '' : `.${padded(part.index + 1, String(part.of).length)}`
  return `data/${padded(index + 1, 4)}-${label}${number}.copy.zst`
}

/** `data/0007-small-tables.sql.zst`: a script for psql with the rows of many tables. */
export function packKey(index: number): string {
  return `data/${padded(index + 1, 4)}-small-tables.sql.zst`
}

/** `data/0001-large-objects.sql.zst`: a script that psql can run. */
export function largeObjectsKey(index: number): string {
  return `data/${padded(index + 1, 4)}-large-objects.sql.zst`
}

function padded(number: number, digits: number): string {
  return String(number).padStart(digits, '0')
}
