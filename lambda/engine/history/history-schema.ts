import type { Connection } from '../database.ts'
import { quoteIdentifier, quoteLiteral } from '../database.ts'
import { HISTORY_NOTE } from './history-format.ts'

/** Qualified, quoted names of the tables in which Lockstep keeps its state. */
export interface HistoryTables {
  readonly schema: string
  readonly migrations: string
  readonly runs: string
  readonly progress: string
  readonly structure: string
}

export function historyTables(schema: string): HistoryTables {
  const quoted = quoteIdentifier(schema)
  return {
    schema: quoted,
    migrations: `${quoted}.migrations`,
    runs: `${quoted}.runs`,
    progress: `${quoted}.progress`,
    structure: `${quoted}.structure`,
  }
}

/** True when the history tables exist. One column, `ready`. */
export function historyReadySql(schema: string): string {
  return `pg_catalog.to_regclass(${quoteLiteral(historyTables(schema).migrations)}) IS NOT NULL`
}

/** Makes the history tables. */
export async function createHistory(connection: Connection, schema: string): Promise<void> {
  await connection.execute(createHistorySql(schema))
}

/**
 * The statements that make the history tables, in a transaction of their own. Two sets may do so at the same moment, each under its own lock; the transaction-level lock
 * keeps them apart, because neither would see the schema that the other makes.
 */
export function createHistorySql(schema: string): string {
  const tables = historyTables(schema)
  return `BEGIN;
${lockSql(schema)};
${createSchemaSql(tables)};
CREATE TABLE IF NOT EXISTS ${tables.runs} (
  run_id uuid PRIMARY KEY,
  "set" text NOT NULL,
  request_id text,
  trigger text NOT NULL CHECK (trigger IN ('deployment', 'console', 'cli', 'pipeline')),
  action text NOT NULL,
  from_heads text[] NOT NULL,
  to_heads text[],
  status text NOT NULL CHECK (status IN ('running', 'succeeded', 'failed', 'interrupted')),
  started_at timestamptz NOT NULL,
  finished_at timestamptz,
  snapshot_uri text,
  error jsonb,
  details jsonb NOT NULL DEFAULT '{}',
  UNIQUE ("set", request_id)
);
CREATE TABLE IF NOT EXISTS ${tables.migrations} (
  "set" text NOT NULL,
  id text NOT NULL,
  checksum text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('sql', 'ts', 'baseline', 'repeatable')),
  position integer NOT NULL,
  parents text[] NOT NULL,
  source text NOT NULL,
  archive text,
  applied_at timestamptz NOT NULL,
  duration_ms integer NOT NULL,
  run_id uuid NOT NULL,
  applied_by text NOT NULL,
  lockstep_version text NOT NULL,
  PRIMARY KEY ("set", id),
  UNIQUE ("set", position)
);
CREATE TABLE IF NOT EXISTS ${tables.progress} (
  "set" text NOT NULL,
  id text NOT NULL,
  direction text NOT NULL CHECK (direction IN ('up', 'down')),
  statements_done integer NOT NULL,
  in_flight boolean NOT NULL,
  may_commit boolean NOT NULL DEFAULT false,
  statements_checksum text NOT NULL,
  run_id uuid NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY ("set", id, direction)
);
${structureSql(tables)};
COMMENT ON TABLE ${tables.migrations} IS ${quoteLiteral(HISTORY_NOTE)};
COMMENT ON COLUMN ${tables.migrations}.archive IS 'sha256 of the compiled code in the archive, for a TypeScript migration.';
COMMENT ON TABLE ${tables.runs} IS 'Every attempt to change the database, whatever came of it.';
COMMENT ON TABLE ${tables.progress} IS 'Statements that a migration outside of a transaction has finished so far.';
COMMENT ON COLUMN ${tables.progress}.may_commit IS 'What is in flight may have committed a part of its work.';
COMMIT`
}

/** Leaves a schema alone that is there: `IF NOT EXISTS` would want the privilege to make one all the same. */
function createSchemaSql({ schema }: HistoryTables): string {
  return `DO $lockstep$ BEGIN IF pg_catalog.to_regnamespace(${quoteLiteral(schema)}) IS NULL THEN
  CREATE SCHEMA ${schema};
  COMMENT ON SCHEMA ${schema} IS 'History of the migrations that Lockstep applied. Do not edit.';
END IF; END $lockstep$`
}

function lockSql(schema: string): string {
  return `SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended(${quoteLiteral(`lockstep:history:${schema}`)}, 0))`
}

/**
 * Adds the table that histories of before lack, for whoever may use the others: a snapshot reads all of them. Two sets may
 * do so at the same moment.
 */
export async function createStructureTable(connection: Connection, schema: string): Promise<void> {
  const tables = historyTables(schema)
  await connection.execute([lockSql(schema), structureSql(tables), grantSql(tables)].join(';\n'))
}

/** To the owner of the table of migrations, and to others what they may do with that one. */
function grantSql({ migrations, structure }: HistoryTables): string {
  const [from, to] = [quoteLiteral(migrations), quoteLiteral(structure)]
  return `DO $lockstep$ DECLARE given record; BEGIN
  IF (SELECT relowner <> current_user::regrole FROM pg_catalog.pg_class WHERE oid = ${to}::regclass) THEN RETURN; END IF;
  FOR given IN SELECT string_agg(DISTINCT a.privilege_type, ', ') AS privileges,
      CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END AS grantee
    FROM pg_catalog.pg_class c, pg_catalog.aclexplode(coalesce(c.relacl, pg_catalog.acldefault('r', c.relowner))) a
    WHERE c.oid = ${from}::regclass AND a.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
      AND a.grantee <> current_user::regrole
    GROUP BY a.grantee
  LOOP EXECUTE pg_catalog.format('GRANT %s ON %s TO %s', given.privileges, ${to}::regclass, given.grantee); END LOOP;
END $lockstep$`
}

/** One row: whoever runs next compares with what the last run has left, whichever set that was of. */
function structureSql({ structure }: HistoryTables): string {
  return `CREATE TABLE IF NOT EXISTS ${structure} (
  "only" boolean PRIMARY KEY CHECK ("only"),
  run_id uuid NOT NULL,
  "set" text NOT NULL,
  recorded_at timestamptz NOT NULL,
  mark text NOT NULL,
  facts_version text NOT NULL,
  server_version integer NOT NULL,
  copy text NOT NULL,
  facts bytea NOT NULL,
  lockstep_version text NOT NULL
);
COMMENT ON TABLE ${structure} IS 'The schema as the last run has left it, to tell when something else has changed it.'`
}
