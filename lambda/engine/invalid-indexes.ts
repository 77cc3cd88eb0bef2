import { quoteIdentifier, type Connection } from './database.ts'

const INVALID_SQL = `SELECT c.oid::text AS oid, n.nspname AS schema, c.relname AS name
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE NOT i.indisvalid AND c.relkind = 'i' AND n.nspname !~ '^pg_'`

export interface InvalidIndex {
  readonly oid: string
  readonly schema: string
  readonly name: string
}

/** Indexes that a CREATE INDEX CONCURRENTLY or REINDEX CONCURRENTLY left unusable. */
export async function invalidIndexes(connection: Connection): Promise<readonly InvalidIndex[]> {
  const { rows } = await connection.query(INVALID_SQL)
  return rows.map((row) => ({ oid: String(row.oid), schema: String(row.schema), name: String(row.name) }))
}

/** Drops the invalid indexes that were not there before: what a failed concurrent build left behind. */
export async function dropNewInvalidIndexes(
  connection: Connection,
  before: readonly InvalidIndex[],
): Promise<readonly string[]> {
  const known = new Set(before.map((index) => index.oid))
  const left = (await invalidIndexes(connection)).filter((index) => !known.has(index.oid))
  for (const { schema, name } of left) {
    await connection.execute(`DROP INDEX CONCURRENTLY IF EXISTS ${quoteIdentifier(schema)}.${quoteIdentifier(name)}`)
  }
  return left.map((index) => `${index.schema}.${index.name}`)
}
