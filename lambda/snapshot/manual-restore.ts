import { quoteIdentifier, quoteLiteral } from '../engine/database.ts'
import { qualified } from './catalog.ts'
import { createDatabaseSql, type DatabaseProperties } from './database-properties.ts'
import { databasePropertiesSql } from './database-properties-sql.ts'
import type { SnapshotTable } from './manifest.ts'

/** The name that the commands restore into; whoever runs them renames it. */
const TARGET = 'restored'
const PSQL = `psql -X -q -v ON_ERROR_STOP=1 -d ${TARGET}`

/** The shell commands that restore the snapshot by hand, from within its folder. */
export function manualRestoreCommands(
  properties: DatabaseProperties,
  serverVersion: number,
  tables: readonly SnapshotTable[],
): readonly string[] {
  return [
    // Text was written under these settings, and means the same only under them.
    "export PGOPTIONS='-c lc_monetary=C -c intervalstyle=postgres -c client_encoding=UTF8'",
    `psql -X -v ON_ERROR_STOP=1 -d postgres -c ${shellQuote(createDatabaseSql(properties, TARGET, serverVersion))}`,
    `${PSQL} -f pre-data.sql`,
    ...tables.map((table) => `zstd -dc ${table.key} | ${PSQL} -c ${shellQuote(copyInSql(table, properties.encoding))}`),
    `${PSQL} -f sequences.sql`,
    `${PSQL} -f post-data.sql`,
    `${PSQL} -c ANALYZE`,
    ...databasePropertiesSql(properties, quoteIdentifier(TARGET)).map((sql) => `${PSQL} -c ${shellQuote(sql)}`),
  ]
}

/** `COPY … FROM STDIN` for the rows as they are stored: in the database's own encoding, so that no byte changes. */
export function copyInSql(table: Pick<SnapshotTable, 'schema' | 'name' | 'columns'>, encoding: string): string {
  return `COPY ${qualified(table)}${columnList(table.columns)} FROM STDIN WITH (ENCODING ${quoteLiteral(encoding)})`
}

/** `COPY … TO STDOUT` for the rows that a snapshot stores. */
export function copyOutSql(table: Omit<SnapshotTable, 'rows' | 'key'>, encoding: string): string {
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

function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
