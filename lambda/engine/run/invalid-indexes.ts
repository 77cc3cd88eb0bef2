import { quoteIdentifier, quoteLiteral, type Connection } from '../database.ts'

/** What a statement does to indexes while others go on working. Names as in the statement. */
export interface ConcurrentIndex {
  readonly action: 'create' | 'reindex' | 'drop'
  /** `create`: the table. `reindex`: the table or the index. `drop`: the index. Null: many. */
  readonly relation: { readonly schema: string | null; readonly name: string } | null
  /** `create`: the index, null when PostgreSQL chooses its name. */
  readonly index: string | null
  /** `create` without IF NOT EXISTS: when it has succeeded, the index is its work. */
  readonly isNew: boolean
}

export interface InvalidIndex {
  readonly oid: string
  readonly schema: string
  readonly name: string
}

/** Only what this statement can have left, and nothing that another session is building at this moment. */
function leftoversSql(target: ConcurrentIndex, relation: string): string {
  const own =
    target.action === 'create'
      ? `i.indrelid = ${relation} ${target.index === null ? '' : `AND c.relname = ${quoteLiteral(target.index)}`}`
      : `(i.indrelid = ${relation} OR i.indrelid = (SELECT o.indrelid FROM pg_catalog.pg_index o WHERE o.indexrelid = ${relation}))
  AND c.relname ~ '_cc(new|old)\\d*$'`
  return `SELECT c.oid::text AS oid, n.nspname AS schema, c.relname AS name
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE NOT i.indisvalid AND c.relkind = 'i' AND ${own}
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index p
    WHERE p.index_relid = i.indexrelid AND p.pid <> pg_catalog.pg_backend_pid())`
}

/** Invalid indexes of the kind that this statement leaves when it fails. */
export async function leftovers(connection: Connection, target: ConcurrentIndex): Promise<readonly InvalidIndex[]> {
  if (target.relation === null || target.action === 'drop') return []
  const { rows } = await connection.query(leftoversSql(target, regclass(target.relation)))
  return rows.map((row) => ({ oid: String(row.oid), schema: String(row.schema), name: String(row.name) }))
}

/** Drops what the statement left, but for what was there before it. Gives the names. */
export async function dropLeftovers(
  connection: Connection,
  target: ConcurrentIndex,
  before: readonly InvalidIndex[] = [],
): Promise<readonly string[]> {
  const known = new Set(before.map((index) => index.oid))
  const left = (await leftovers(connection, target)).filter((index) => !known.has(index.oid))
  for (const { schema, name } of left) {
    await connection.execute(`DROP INDEX CONCURRENTLY IF EXISTS ${quoteIdentifier(schema)}.${quoteIdentifier(name)}`)
  }
  return left.map((index) => `${index.schema}.${index.name}`)
}

/** Whether the statement's work stands; null when that cannot be told from the catalog. */
export async function isDone(connection: Connection, target: ConcurrentIndex): Promise<boolean | null> {
  if (target.relation === null) return null
  if (target.action === 'drop') {
    const { rows } = await connection.query(`SELECT ${regclass(target.relation)} IS NULL AS gone`)
    return rows[0]?.gone === true
  }
  if (target.action === 'reindex' || target.index === null) return null
  const { rows } = await connection.query(validIndexSql(target.relation, target.index))
  return rows[0]?.valid === true
}

/** Whether an index of a table is valid, as a query. One column, `valid`; no row where there is no such index. */
export function validIndexSql(table: NonNullable<ConcurrentIndex['relation']>, index: string): string {
  return `SELECT i.indisvalid AS valid FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = ${regclass(table)} AND c.relname = ${quoteLiteral(index)}`
}

/** Whether dropping the named index undoes the statement exactly. */
export function canBeDropped(target: ConcurrentIndex | null): boolean {
  return target?.action === 'create' && target.isNew && target.index !== null && target.relation !== null
}

/** Drops the index that the statement made. */
export async function dropIndex(connection: Connection, { relation, index }: ConcurrentIndex): Promise<void> {
  if (relation === null || index === null) return
  const { rows } = await connection.query(`SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS name
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE i.indrelid = ${regclass(relation)} AND c.relname = ${quoteLiteral(index)}`)
  for (const { name } of rows) await connection.execute(`DROP INDEX CONCURRENTLY ${String(name)}`)
}

function regclass({ schema, name }: { readonly schema: string | null; readonly name: string }): string {
  const qualified = `${schema === null ? '' : `${quoteIdentifier(schema)}.`}${quoteIdentifier(name)}`
  return `pg_catalog.to_regclass(${quoteLiteral(qualified)})`
}
