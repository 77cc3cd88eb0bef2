import { quoteIdentifier, quoteLiteral } from '../engine/database.ts'
import { qualified } from './catalog.ts'
import type { SnapshotTable } from './manifest.ts'

/** `COPY … FROM STDIN` for the rows as they are stored: in the database's own encoding, so that no byte changes. */
export function copyInSql(table: Pick<SnapshotTable, 'schema' | 'name' | 'columns'>, encoding: string): string {
  return `COPY ${qualified(table)}${columnList(table.columns)} FROM STDIN WITH (ENCODING ${quoteLiteral(encoding)})`
}

/** `COPY … TO STDOUT` for the rows that a snapshot stores. */
export function copyOutSql(
  table: Pick<SnapshotTable, 'schema' | 'name' | 'columns' | 'filter'>,
  encoding: string,
): string {
  const columns = table.columns.map(quoteIdentifier).join(', ')
  const source =
    table.filter === null
      ? `${qualified(table)}${columnList(table.columns)}`
      : `(SELECT ${columns} FROM ONLY ${qualified(table)} ${table.filter})`
  return `COPY ${source} TO STDOUT WITH (ENCODING ${quoteLiteral(encoding)})`
}

// A table without columns of its own has no list: an empty one is a syntax error.
function columnList(columns: readonly string[]): string {
  return columns.length === 0 ? '' : ` (${columns.map(quoteIdentifier).join(', ')})`
}
