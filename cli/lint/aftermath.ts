import { quoteLiteral, type Connection, type Row } from '../../lambda/engine/database.ts'

/** What is left of a migration that no single statement shows. By oid of the constraint, table or index. */
export interface Aftermath {
  readonly unindexedKeys: ReadonlyMap<number, Leftover>
  readonly keylessTables: ReadonlyMap<number, Leftover>
  readonly invalidIndexes: ReadonlyMap<number, Leftover>
}

export interface Leftover {
  readonly relation: string
  /** The constraint or index, and its columns. */
  readonly name: string
  readonly columns: readonly string[]
  /** Of a foreign key: the table and the columns, as a statement writes them. */
  readonly target: string
}

/** Asks the catalog. Temporary tables and Lockstep's own are left out. */
export async function readAftermath(connection: Connection, history: string): Promise<Aftermath> {
  const own = `n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', ${quoteLiteral(history)}) AND n.nspname !~ '^pg_temp_'`
  const [keys, tables, indexes] = await connection.execute(
    [
      `SELECT k.oid::bigint AS oid, n.nspname || '.' || c.relname AS relation, k.conname::text AS name,
  ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY u(number, place)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number ORDER BY u.place) AS columns,
  quote_ident(n.nspname) || '.' || quote_ident(c.relname) || ' (' || (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY u.place)
    FROM unnest(k.conkey) WITH ORDINALITY u(number, place)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number) || ')' AS target
FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE k.contype = 'f' AND k.conparentid = 0 AND ${own} AND NOT EXISTS (${INDEX_OF_KEY})`,
      `SELECT c.oid::bigint AS oid, n.nspname || '.' || c.relname AS relation, c.relname::text AS name, ARRAY[]::text[] AS columns
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND ${own}
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)`,
      `SELECT i.indexrelid::bigint AS oid, n.nspname || '.' || t.relname AS relation, c.relname::text AS name, ARRAY[]::text[] AS columns
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE NOT i.indisvalid AND ${own}`,
    ].join(';\n'),
  )
  return {
    unindexedKeys: leftoversIn(keys?.rows),
    keylessTables: leftoversIn(tables?.rows),
    invalidIndexes: leftoversIn(indexes?.rows),
  }
}

/** One that begins with the columns of the key, in any order; partial only where it leaves out nothing but NULL. */
const INDEX_OF_KEY = `SELECT FROM pg_catalog.pg_index i
  WHERE i.indrelid = k.conrelid AND i.indisvalid AND i.indnkeyatts >= cardinality(k.conkey)
    AND (i.indpred IS NULL OR pg_catalog.pg_get_expr(i.indpred, i.indrelid) ~ '^\\("?[^ ]+"? IS NOT NULL\\)$')
    AND (i.indkey::smallint[])[0:cardinality(k.conkey) - 1] @> k.conkey
    AND (i.indkey::smallint[])[0:cardinality(k.conkey) - 1] <@ k.conkey`

/** What is there now and was not before. */
export function newIn(now: ReadonlyMap<number, Leftover>, before: ReadonlyMap<number, Leftover>): readonly Leftover[] {
  return [...now].filter(([oid]) => !before.has(oid)).map(([, leftover]) => leftover)
}

function leftoversIn(rows: readonly Row[] = []): ReadonlyMap<number, Leftover> {
  return new Map(
    rows.map((row) => [
      Number(row.oid),
      {
        relation: String(row.relation),
        name: String(row.name),
        columns: row.columns as readonly string[],
        target: String(row.target ?? row.relation),
      },
    ]),
  )
}
