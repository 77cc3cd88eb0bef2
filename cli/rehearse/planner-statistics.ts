import type { Connection } from '../../lambda/engine/database.ts'

/** What the planner knows of a relation as a whole. */
export interface RelationPages {
  readonly schema: string
  readonly name: string
  readonly pages: number
  readonly tuples: number
  readonly visible: number
}

/** Of every relation that may have rows, but for those of `history`, whose rows are copied. */
export async function readRelationPages(connection: Connection, history: string): Promise<readonly RelationPages[]> {
  const { rows } = await connection.query(
    `SELECT n.nspname::text AS schema, c.relname::text AS name, c.relpages AS pages, c.reltuples::float8 AS tuples,
  c.relallvisible AS visible
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm', 'i', 'I') AND c.reltuples > 0
  AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', $1)`,
    [history],
  )
  return rows.map((row) => ({
    schema: String(row.schema),
    name: String(row.name),
    pages: Number(row.pages),
    tuples: Number(row.tuples),
    visible: Number(row.visible),
  }))
}

const GIVEN = `FROM pg_catalog.json_to_recordset($1::json) x(schema text, name text, pages int, tuples real, visible int)`

/** From PostgreSQL 18 on whoever maintains a table may set them; before, only a superuser, in the catalog itself. */
const SETTING_FUNCTION = 180_000

/**
 * Tells the planner what it knows of the live database. Values of columns are left out: they are the most common values
 * of rows, which are nobody's outside of it, and on empty tables they change no plan.
 *
 * @throws SqlError where the user may not.
 */
export async function setRelationPages(connection: Connection, relations: readonly RelationPages[]): Promise<void> {
  const { rows } = await connection.query(`SELECT pg_catalog.current_setting('server_version_num')::int AS version`)
  const hasFunction = Number(rows[0]?.version) >= SETTING_FUNCTION
  await connection.query(
    hasFunction
      ? `SELECT pg_catalog.pg_restore_relation_stats('schemaname', x.schema, 'relname', x.name, 'relpages', x.pages,
  'reltuples', x.tuples, 'relallvisible', x.visible) ${GIVEN}
WHERE pg_catalog.to_regclass(pg_catalog.format('%I.%I', x.schema, x.name)) IS NOT NULL`
      : `UPDATE pg_catalog.pg_class c SET relpages = x.pages, reltuples = x.tuples, relallvisible = x.visible ${GIVEN}
WHERE c.oid = pg_catalog.to_regclass(pg_catalog.format('%I.%I', x.schema, x.name))`,
    [JSON.stringify(relations)],
  )
}
