import { quoteIdentifier } from '../engine/database.ts'
import { copyInSql } from './copy-sql.ts'
import { createDatabaseSql, type DatabaseProperties } from './database-properties.ts'
import { databasePropertiesSql } from './database-properties-sql.ts'
import type { SnapshotLargeObjects, SnapshotTable } from './manifest.ts'

/** The name that the commands restore into; whoever runs them renames it. */
const TARGET = 'restored'
const PSQL = `psql -X -q -v ON_ERROR_STOP=1 -d ${TARGET}`

/** The shell commands that restore the snapshot by hand, from within its folder. */
export function manualRestoreCommands(
  properties: DatabaseProperties,
  serverVersion: number,
  tables: readonly SnapshotTable[],
  largeObjects: SnapshotLargeObjects | null,
): readonly string[] {
  return [
    // Text was written under these settings, and means the same only under them.
    "export PGOPTIONS='-c lc_monetary=C -c intervalstyle=postgres -c client_encoding=UTF8'",
    `psql -X -v ON_ERROR_STOP=1 -d postgres -c ${shellQuote(createDatabaseSql(properties, TARGET, serverVersion))}`,
    `${PSQL} -f pre-data.sql`,
    ...tables.flatMap((table) => {
      const copy = shellQuote(copyInSql(table, properties.encoding))
      const whole = table.parts.filter(({ slice }) => slice === null)
      return whole.map(({ key }) => `zstd -dc ${key} | ${PSQL} -c ${copy}`)
    }),
    ...scripts(tables).map((key) => `zstd -dc ${key} | ${PSQL}`),
    // Their functions answer, which nobody reads; and a statement for each chunk need not wait for the disk.
    ...(largeObjects?.parts ?? []).map(
      ({ key }) => `zstd -dc ${key} | ${PSQL} -o /dev/null -c "SET synchronous_commit TO off" -f -`,
    ),
    `${PSQL} -f sequences.sql`,
    `${PSQL} -f post-data.sql`,
    `${PSQL} -c ANALYZE`,
    ...databasePropertiesSql(properties, quoteIdentifier(TARGET)).map((sql) => `${PSQL} -c ${shellQuote(sql)}`),
  ]
}

/** The objects that are scripts with the rows of many tables. */
function scripts(tables: readonly SnapshotTable[]): readonly string[] {
  const parts = tables.flatMap((table) => table.parts.filter(({ slice }) => slice !== null))
  return [...new Set(parts.map(({ key }) => key))]
}

function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
