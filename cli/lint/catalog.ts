import { quoteLiteral, type Connection, type Row } from '../../lambda/engine/database.ts'
import type { Column, LockMode, Relation, RelationKind } from './observation.ts'

/** The relations and schemas of a database, as far as migrations make them. */
export interface Catalog {
  readonly relations: ReadonlyMap<number, Relation>
  /** Names by oid. */
  readonly schemas: ReadonlyMap<number, string>
}

/** What the server tells of the open transaction. */
export interface Probe {
  readonly locks: ReadonlyMap<number, readonly LockMode[]>
  /** Relations with a lock; those that are gone are not among them. */
  readonly relations: ReadonlyMap<number, Relation>
  /** How often each was read from end to end since the transaction began. */
  readonly scans: ReadonlyMap<number, number>
  readonly schemas: ReadonlyMap<number, string>
  readonly lockTimeoutMs: number
}

/** Oids below this are PostgreSQL's own (`FirstNormalObjectId`). */
const FIRST_OWN_OID = 16_384

const COLUMNS = `SELECT a.attrelid::bigint AS oid, a.attnum::int AS number, a.attname::text AS name,
  pg_catalog.format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS not_null,
  (a.atthasdef OR a.attidentity <> '' OR a.attgenerated <> '') AS filled
FROM pg_catalog.pg_attribute a
WHERE a.attnum > 0 AND NOT a.attisdropped`

const RELATION = `c.oid::bigint AS oid, n.nspname::text AS schema, c.relname::text AS name, c.relkind::text AS kind,
  c.relfilenode::bigint AS file, c.relispartition AS is_partition, i.indrelid::bigint AS table_oid`

const FROM_RELATION = `JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid`

/** Temporary tables are nobody else's, and TOAST tables go with theirs. */
const isOwn = (history: string): string =>
  `c.oid >= ${FIRST_OWN_OID} AND n.nspname NOT IN ('pg_toast', ${quoteLiteral(history)}) AND n.nspname !~ '^pg_(toast_)?temp_'`

const SCHEMAS = `SELECT oid::bigint AS oid, nspname::text AS name FROM pg_catalog.pg_namespace
WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'`

/** Reads all of it. @param history - schema of Lockstep's own tables */
export async function readCatalog(connection: Connection, history: string): Promise<Catalog> {
  const [relations, columns, schemas] = await connection.execute(
    [
      `SELECT ${RELATION} FROM pg_catalog.pg_class c ${FROM_RELATION} WHERE ${isOwn(history)}`,
      `${COLUMNS} AND a.attrelid IN (SELECT c.oid FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND ${isOwn(history)})`,
      SCHEMAS,
    ].join(';\n'),
  )
  return { relations: relationsIn(relations?.rows, columns?.rows), schemas: schemasIn(schemas?.rows) }
}

/** Asks for what the open transaction has touched. Works under any search_path and role. */
export async function readProbe(connection: Connection, history: string): Promise<Probe> {
  const [locked, columns, schemas, settings] = await connection.execute(
    [
      `SELECT l.relation::bigint AS locked, array_agg(DISTINCT l.mode) AS modes, ${RELATION},
  pg_catalog.pg_stat_get_xact_numscans(l.relation)::int AS scans
FROM pg_catalog.pg_locks l LEFT JOIN (pg_catalog.pg_class c ${FROM_RELATION}) ON c.oid = l.relation
WHERE ${OWN_LOCK} AND (c.oid IS NULL OR (${isOwn(history)}))
GROUP BY l.relation, c.oid, n.nspname, c.relname, c.relkind, c.relfilenode, c.relispartition, i.indrelid`,
      `${COLUMNS} AND a.attrelid IN (SELECT l.relation FROM pg_catalog.pg_locks l
        JOIN pg_catalog.pg_class c ON c.oid = l.relation
        WHERE ${OWN_LOCK} AND l.mode = 'AccessExclusiveLock' AND c.relkind IN ('r', 'p', 'v', 'm', 'f'))`,
      SCHEMAS,
      `SELECT setting::int AS lock_timeout FROM pg_catalog.pg_settings WHERE name = 'lock_timeout'`,
    ].join(';\n'),
  )
  const rows = locked?.rows ?? []
  return {
    locks: new Map(rows.map((row) => [Number(row.locked), modesOf(row.modes)])),
    relations: relationsIn(
      rows.filter((row) => row.oid !== null),
      columns?.rows,
    ),
    scans: new Map(rows.map((row) => [Number(row.locked), Number(row.scans)])),
    schemas: schemasIn(schemas?.rows),
    lockTimeoutMs: Number(settings?.rows[0]?.lock_timeout),
  }
}

const OWN_LOCK = `l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'relation' AND l.relation >= ${FIRST_OWN_OID}
  AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())`

/** The driver gives arrays of `text` as arrays. */
function modesOf(value: unknown): readonly LockMode[] {
  return Array.isArray(value) ? (value as readonly LockMode[]) : []
}

function schemasIn(rows: readonly Row[] = []): ReadonlyMap<number, string> {
  return new Map(rows.map((row) => [Number(row.oid), String(row.name)]))
}

function relationsIn(rows: readonly Row[] = [], columns: readonly Row[] = []): ReadonlyMap<number, Relation> {
  const byRelation = Map.groupBy(columns, (row) => Number(row.oid))
  return new Map(
    rows.map((row): [number, Relation] => [
      Number(row.oid),
      {
        oid: Number(row.oid),
        schema: String(row.schema),
        name: String(row.name),
        kind: KINDS[String(row.kind)] ?? 'other',
        file: Number(row.file),
        isPartition: row.is_partition === true,
        table: row.table_oid === null ? null : Number(row.table_oid),
        columns: new Map((byRelation.get(Number(row.oid)) ?? []).map(columnIn)),
      },
    ]),
  )
}

function columnIn(row: Row): [number, Column] {
  const column = {
    name: String(row.name),
    type: String(row.type),
    notNull: row.not_null === true,
    filled: row.filled === true,
  }
  return [Number(row.number), column]
}

const KINDS: Readonly<Record<string, RelationKind>> = {
  r: 'table',
  p: 'table',
  f: 'table',
  i: 'index',
  I: 'index',
  v: 'view',
  m: 'materialized view',
  S: 'sequence',
}
