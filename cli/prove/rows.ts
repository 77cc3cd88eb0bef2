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

/** What the tables hold, by qualified name. A table without rows is not in it. */
export type Content = ReadonlyMap<string, TableContent>

/** Of a larger table the rows are counted, not compared. Bytes. */
const LARGEST_COMPARED = 16 * 1024 * 1024

/**
 * Reads what tables hold, each value included.
 *
 * @param known - the content of tables that nothing has touched since, by name; these are not read again.
 */
export async function readContent(
  connection: Connection,
  historySchema: string,
  known: { readonly content: Content; readonly isUntouched: (id: string) => boolean } | null,
): Promise<Content> {
  const tables = await tablesWithRows(connection, historySchema)
  const kept = tables.filter(({ id, name }) => known?.isUntouched(id) === true && known.content.has(name))
  const read = tables.filter((table) => !kept.includes(table))
  const content = new Map<string, TableContent>()
  for (const { name } of kept) {
    const before = known?.content.get(name)
    if (before !== undefined) content.set(name, before)
  }
  for (const table of read) {
    const found = await readTable(connection, table)
    if (found.rows > 0) content.set(table.name, found)
  }
  return content
}

interface Table {
  readonly id: string
  readonly name: string
  readonly isLarge: boolean
  readonly columns: readonly string[]
}

async function tablesWithRows(connection: Connection, historySchema: string): Promise<readonly Table[]> {
  const { rows } = await connection.query(
    `SELECT c.oid::text AS id, pg_catalog.format('%I.%I', n.nspname, c.relname) AS name, c.size > ${LARGEST_COMPARED} AS is_large,
  ARRAY(SELECT attname::text FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND attnum > 0 AND NOT attisdropped ORDER BY attnum) AS columns
FROM (SELECT oid, relname, relnamespace, pg_catalog.pg_relation_size(oid) AS size FROM pg_catalog.pg_class WHERE relkind = 'r' AND oid >= 16384) c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.size > 0 AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', $1) ORDER BY name`,
    [historySchema],
  )
  return rows.map((row) => ({
    id: String(row.id),
    name: String(row.name),
    isLarge: row.is_large === true,
    columns: row.columns as readonly string[],
  }))
}

async function readTable(connection: Connection, table: Table): Promise<TableContent> {
  const compared = table.isLarge ? [] : table.columns.toSorted()
  const wholeRow = compared.length === 0 ? 'NULL' : hashOf(`ROW(${compared.map(column).join(', ')})`)
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

/** Ids of the tables whose rows the open transaction has changed. Tables that were rewritten are not among them. */
export async function touchedTables(connection: Connection): Promise<ReadonlySet<string>> {
  const { rows } = await connection.query(
    `SELECT relid::text AS id FROM pg_catalog.pg_stat_xact_all_tables WHERE n_tup_ins + n_tup_upd + n_tup_del > 0 AND relid >= 16384`,
  )
  return new Set(rows.map((row) => String(row.id)))
}
