import { quoteIdentifier, type Connection, type Row } from '../../lambda/engine/database.ts'

/** The values of one column, whatever their order. */
interface ColumnContent {
  /** How many are not null. */
  readonly values: number
  readonly hash: string
}

/** The rows of one table, whatever their order. */
export interface TableContent {
  readonly rows: number
  /** Over whole rows. */
  readonly hash: string
  readonly columns: ReadonlyMap<string, ColumnContent>
}

/** What the tables hold, by qualified name, and how many large objects there are. A table without rows is not in it. */
export type Content = ReadonlyMap<string, TableContent>

/** Of a larger table the rows are counted, not compared, or compared only as a whole. Bytes. */
const LARGEST_COMPARED = 16 * 1024 * 1024

/**
 * Reads what tables hold, each value included.
 *
 * @param start - what they held when the open transaction began, and which tables it has rewritten or made: what it has
 *   not touched is not read again. Null: there is none.
 * @param options.hashesLarge - whether the rows of large tables are compared, too. @default they are counted
 */
export async function readContent(
  connection: Connection,
  historySchema: string,
  start: { readonly content: Content; readonly isTheSame: (id: string) => boolean } | null,
  { hashesLarge = false }: { readonly hashesLarge?: boolean } = {},
): Promise<Content> {
  const content = new Map<string, TableContent>()
  for (const table of await tablesWithRows(connection, historySchema)) {
    const { id, name, isTouched } = table
    const before = start !== null && !isTouched && start.isTheSame(id) ? start.content.get(name) : undefined
    const found = before ?? (await readTable(connection, table, hashesLarge))
    if (found.rows > 0) content.set(name, found)
  }
  const objects = await largeObjects(connection)
  if (objects > 0) content.set('pg_catalog.pg_largeobject', { rows: objects, hash: '', columns: new Map() })
  return content
}

async function largeObjects(connection: Connection): Promise<number> {
  const { rows } = await connection.query(
    'SELECT pg_catalog.count(*)::int AS count FROM pg_catalog.pg_largeobject_metadata',
  )
  return Number(rows[0]?.count)
}

interface Table {
  readonly id: string
  readonly name: string
  readonly isLarge: boolean
  /** Whether the open transaction has changed rows of it. */
  readonly isTouched: boolean
  readonly columns: readonly string[]
}

const TOUCHED = ['inserted', 'updated', 'deleted']
  .map((what) => `pg_catalog.pg_stat_get_xact_tuples_${what}(c.oid)`)
  .join(' + ')

async function tablesWithRows(connection: Connection, historySchema: string): Promise<readonly Table[]> {
  const { rows } = await connection.query(
    `SELECT c.oid::text AS id, pg_catalog.format('%I.%I', n.nspname, c.relname) AS name, c.size > ${LARGEST_COMPARED} AS is_large, ${TOUCHED} > 0 AS is_touched,
  ARRAY(SELECT attname::text FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND attnum > 0 AND NOT attisdropped ORDER BY attnum) AS columns
FROM (SELECT oid, relname, relnamespace, pg_catalog.pg_relation_size(oid) AS size FROM pg_catalog.pg_class WHERE relkind = 'r' AND oid >= 16384 AND relpersistence <> 't') c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.size > 0 AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', $1) ORDER BY name`,
    [historySchema],
  )
  return rows.map((row) => ({
    id: String(row.id),
    name: String(row.name),
    isLarge: row.is_large === true,
    isTouched: row.is_touched === true,
    columns: row.columns as readonly string[],
  }))
}

async function readTable(connection: Connection, table: Table, hashesLarge: boolean): Promise<TableContent> {
  const columns = table.columns.toSorted()
  const compared = table.isLarge ? [] : columns
  const inRow = table.isLarge && !hashesLarge ? [] : columns
  const wholeRow = inRow.length === 0 ? 'NULL' : hashOf(`ROW(${inRow.map(column).join(', ')})`)
  const parts = compared.map(
    (name, index) => `, pg_catalog.count(${column(name)}) AS v${index}, ${hashOf(column(name))} AS h${index}`,
  )
  const { rows } = await connection.query(
    `SELECT pg_catalog.count(*) AS rows, ${wholeRow} AS hash${parts.join('')} FROM ONLY ${table.name} t`,
  )
  return toContent(rows[0] ?? {}, compared)
}

function column(name: string): string {
  return `t.${quoteIdentifier(name)}`
}

function hashOf(expression: string): string {
  return `pg_catalog.sum(pg_catalog.hashtextextended((${expression})::text, 0))::text`
}

function toContent(row: Row, columns: readonly string[]): TableContent {
  return {
    rows: Number(row.rows ?? 0),
    hash: String(row.hash),
    columns: new Map(
      columns.map((name, index) => [name, { values: Number(row[`v${index}`]), hash: String(row[`h${index}`]) }]),
    ),
  }
}
