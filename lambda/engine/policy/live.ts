import type { Connection, Row } from '../database.ts'
import type { Live } from './run-facts.ts'
import type { Statistics } from './weigh.ts'

/** What the database says of its relations. */
export interface LiveStatistics extends Live {
  /** Rows written since statistics are kept, by relation. */
  readonly writes: ReadonlyMap<string, number>
  /** For how long they have been kept; null: the server does not say. */
  readonly ageSeconds: number | null
  /** `server_version_num`. */
  readonly serverVersion: number
  readonly timeZone: string
}

/**
 * Asks the database for the relations that hazards name. A schema is named `schema.*`. One query; reads nothing but the
 * catalog.
 *
 * @param names - null: every table and materialized view
 */
export async function readLive(
  connection: Connection,
  history: string,
  names: readonly string[] | null,
): Promise<LiveStatistics> {
  const { rows } = await connection.query(LIVE, [names, history])
  const [first] = rows
  const found = rows.filter((row) => row.name !== null)
  const ageSeconds = first?.age === null || first === undefined ? null : Number(first.age)
  return {
    isEmpty: first?.is_empty === true,
    relations: new Map(found.map((row) => [String(row.name), statisticsIn(row, ageSeconds)])),
    writes: new Map(found.map((row) => [String(row.name), Number(row.writes ?? 0)])),
    ageSeconds,
    serverVersion: Number(first?.version),
    timeZone: String(first?.time_zone),
  }
}

/** Partitions count for their parent. What was never analysed has -1 rows. */
const MEMBERS = `FROM pg_catalog.pg_class p WHERE p.relkind <> 'p' AND (p.oid = c.oid
      OR p.oid IN (SELECT t.relid FROM pg_catalog.pg_partition_tree(c.oid) t))`

const OTHERS = `n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND n.nspname <> $2`

const LIVE = `SELECT own.*, found.* FROM (
  SELECT pg_catalog.current_setting('server_version_num')::int AS version,
    pg_catalog.current_setting('TimeZone') AS time_zone,
    (SELECT extract(epoch FROM pg_catalog.now() - d.stats_reset)::float8 FROM pg_catalog.pg_stat_database d
     WHERE d.datname = pg_catalog.current_database()) AS age,
    NOT EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND ${OTHERS} AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
      WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')) AS is_empty
) own LEFT JOIN (
  SELECT n.nspname || '.' || c.relname AS name,
    (SELECT CASE WHEN min(p.reltuples) < 0 THEN NULL ELSE sum(p.reltuples) END ${MEMBERS})::float8 AS rows,
    (SELECT sum(pg_catalog.pg_total_relation_size(p.oid)) ${MEMBERS})::float8 AS bytes,
    (SELECT sum(pg_catalog.pg_stat_get_tuples_inserted(p.oid) + pg_catalog.pg_stat_get_tuples_updated(p.oid)
      + pg_catalog.pg_stat_get_tuples_deleted(p.oid)) ${MEMBERS})::float8 AS writes
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE CASE WHEN $1::text[] IS NULL THEN c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition AND ${OTHERS}
    ELSE n.nspname || '.' || c.relname = ANY ($1) END
  UNION ALL
  SELECT n.nspname || '.*', NULL, 0, 0 FROM pg_catalog.pg_namespace n WHERE n.nspname || '.*' = ANY ($1)
) found ON true`

/** An average over less than this says little. */
const SHORTEST_AGE_SECONDS = 60

function statisticsIn(row: Row, ageSeconds: number | null): Statistics {
  const isKnown = ageSeconds !== null && ageSeconds >= SHORTEST_AGE_SECONDS
  return {
    rows: row.rows === null ? null : Number(row.rows),
    bytes: Number(row.bytes ?? 0),
    writesPerSecond: isKnown ? Number(row.writes ?? 0) / ageSeconds : null,
  }
}
