import type { Connection, Row } from './database.ts'
import type { Live } from './verdict.ts'
import type { Statistics } from './weigh.ts'

/**
 * Asks the database for the relations that hazards name. A schema is named `schema.*`. One query; reads nothing but the
 * catalog.
 */
export async function readLive(connection: Connection, history: string, names: readonly string[]): Promise<Live> {
  const { rows } = await connection.query(LIVE, [names, history])
  const [first] = rows
  return {
    isEmpty: first?.is_empty === true,
    relations: new Map(rows.filter((row) => row.name !== null).map((row) => [String(row.name), statisticsIn(row)])),
  }
}

/** Partitions count for their parent. What was never analysed has -1 rows. */
const LIVE = `SELECT own.is_empty, found.* FROM (
  SELECT NOT EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND n.nspname <> $2
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
  ) AS is_empty
) own LEFT JOIN (
  SELECT n.nspname || '.' || c.relname AS name,
    (SELECT CASE WHEN min(p.reltuples) < 0 THEN NULL ELSE sum(p.reltuples) END FROM members(c.oid) p)::float8 AS rows,
    (SELECT sum(pg_catalog.pg_total_relation_size(p.oid)) FROM members(c.oid) p)::float8 AS bytes
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname || '.' || c.relname = ANY ($1)
  UNION ALL
  SELECT n.nspname || '.*', NULL, 0 FROM pg_catalog.pg_namespace n WHERE n.nspname || '.*' = ANY ($1)
) found ON true`.replaceAll(
  /FROM members\(c\.oid\) p/g,
  `FROM pg_catalog.pg_class p WHERE p.relkind <> 'p' AND (p.oid = c.oid
      OR p.oid IN (SELECT t.relid FROM pg_catalog.pg_partition_tree(c.oid) t))`,
)

function statisticsIn(row: Row): Statistics {
  return {
    rows: row.rows === null ? null : Number(row.rows),
    bytes: Number(row.bytes ?? 0),
    writesPerSecond: null,
  }
}
