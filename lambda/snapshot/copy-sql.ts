import { quoteIdentifier, quoteLiteral } from '../engine/database.ts'
import { qualified } from './catalog.ts'
import type { PageRange } from './copy-plan.ts'
import type { SnapshotTable } from './manifest.ts'

/**
 * `COPY … FROM STDIN` for the rows as they are stored: in the database's own encoding, so that no byte changes.
 *
 * @param more Further options, such as `FREEZE`. @default none
 */
export function copyInSql(
  table: Pick<SnapshotTable, 'schema' | 'name' | 'columns'>,
  encoding: string,
  ...more: readonly string[]
): string {
  const options = [`ENCODING ${quoteLiteral(encoding)}`, ...more].join(', ')
  return `COPY ${qualified(table)}${columnList(table.columns)} FROM STDIN WITH (${options})`
}

/** `COPY … TO STDOUT` for the rows that a snapshot stores; a range of them, when one is given. */
export function copyOutSql(
  table: Pick<SnapshotTable, 'schema' | 'name' | 'columns' | 'filter'>,
  encoding: string,
  range: PageRange | null = null,
): string {
  const condition = range === null ? table.filter : `WHERE ${inRange(range)}`
  const columns = table.columns.map(quoteIdentifier).join(', ')
  const source =
    condition === null
      ? `${qualified(table)}${columnList(table.columns)}`
      : `(SELECT ${columns} FROM ONLY ${qualified(table)} ${condition})`
  return `COPY ${source} TO STDOUT WITH (ENCODING ${quoteLiteral(encoding)})`
}

/** PostgreSQL reads the pages of such a condition, and no others (TID range scan). */
function inRange({ from, to }: PageRange): string {
  const first = `ctid >= '(${from},0)'`
  return to === null ? first : `${first} AND ctid < '(${to},0)'`
}

// A table without columns of its own has no list: an empty one is a syntax error.
function columnList(columns: readonly string[]): string {
  return columns.length === 0 ? '' : ` (${columns.map(quoteIdentifier).join(', ')})`
}
