import { createHash } from 'node:crypto'
import { structure } from '../catalog/facts.ts'
import { quoteIdentifier, quoteLiteral, type Connection } from '../database.ts'
import { historyTables } from '../history/history-schema.ts'

/** Where a database is, by which a record of its schema is known to be of the same moment. */
export interface Moment {
  /** PostgreSQL's major version. */
  readonly major: number
  /** `server_version_num`: another server may write the same thing in another way. */
  readonly serverVersion: number
  /** Which copy of the database it is: a restored one has the same schema, and may write it in another way. */
  readonly copy: string
  /** All histories of Lockstep that the database holds. */
  readonly own: readonly string[]
  /** Whether the table of the record is there. */
  readonly isKept: boolean
}

/** @throws SqlError */
export async function readMoment(connection: Connection, schema: string): Promise<Moment> {
  const { rows } = await connection.query(MOMENT, [schema, historyTables(schema).structure])
  const [row] = rows
  const serverVersion = Number(row?.version)
  return {
    major: Math.floor(serverVersion / 10_000),
    serverVersion,
    copy: String(row?.copy),
    own: row?.own as readonly string[],
    isKept: row?.kept === true,
  }
}

const HAS = (name: string): string =>
  `EXISTS (SELECT FROM pg_catalog.pg_class r WHERE r.relnamespace = n.oid AND r.relname = '${name}' AND r.relkind = 'r')`

/** The ids of a database and of Lockstep's tables in it are others in every copy that was not made of the files themselves. */
const MOMENT = `SELECT pg_catalog.current_setting('server_version_num')::int AS version,
  pg_catalog.to_regclass($2) IS NOT NULL AS kept,
  (SELECT d.oid::text FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()) || ':' || coalesce(
    (SELECT string_agg(c.oid::text, ',' ORDER BY c.relname) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relname IN ('migrations', 'progress', 'runs')), '') AS copy,
  ARRAY(SELECT n.nspname::text FROM pg_catalog.pg_namespace n WHERE ${HAS('runs')} AND ${HAS('progress')}
    AND EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
      WHERE c.relnamespace = n.oid AND c.relname = 'migrations' AND a.attname = 'lockstep_version') ORDER BY 1) AS own`

/** What the histories say has been done to the database. */
export interface HistoryMark {
  /** Another one whenever something was applied or reverted, by whatever set. */
  readonly mark: string
  /** Nothing was ever applied. */
  readonly isEmpty: boolean
  /** A statement outside of a transaction is under way, or was cut off: what it has done cannot be told. */
  readonly isBusy: boolean
}

/** @throws SqlError */
export async function readHistoryMark(connection: Connection, own: readonly string[]): Promise<HistoryMark> {
  const { rows } =
    await connection.query(`SELECT pg_catalog.md5(coalesce(string_agg(line, chr(10) ORDER BY line COLLATE "C"), '')) AS mark,
  count(*) = 0 AS empty, coalesce(bool_or(busy), false) AS busy FROM (${own.map(marksSql).join('\nUNION ALL\n')}) AS f(line, busy)`)
  const [row] = rows
  return { mark: String(row?.mark), isEmpty: row?.empty === true, isBusy: row?.busy === true }
}

/** A run that failed after a commit may have left traces that are not in the history. */
function marksSql(schema: string): string {
  const tables = historyTables(schema)
  const name = quoteLiteral(quoteIdentifier(schema))
  return `SELECT concat_ws(' ', ${name}, "set", position, id, checksum, run_id), false FROM ${tables.migrations}
UNION ALL SELECT concat_ws(' ', ${name}, "set", id, direction, statements_done, run_id), in_flight FROM ${tables.progress}
UNION ALL SELECT concat_ws(' ', ${name}, run_id), false FROM ${tables.runs} WHERE details ? 'failure'`
}

/** Names what is read of a schema: what was read otherwise cannot be compared. */
export function factsVersion(major: number): string {
  const facts = structure(major)
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 16)
}
