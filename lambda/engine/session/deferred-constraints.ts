import type { Connection } from '../database.ts'
import type { Step } from '../plan/step.ts'

/** Another role's schema, or another session's temporary one, cannot be named; nothing of this run is deferred there. */
const WITHIN_REACH = `c.condeferrable AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
    AND (n.nspname !~ '^pg_temp_' OR n.oid = pg_catalog.pg_my_temp_schema())`

/**
 * Fires what is deferred, so that the next migration of the transaction begins as if alone (ALTER TABLE refuses a
 * table with pending trigger events). By name, never ALL: after SET CONSTRAINTS ALL, constraints that are made later
 * in the transaction would follow it instead of their own definition.
 */
export const FIRE_DEFERRED_SQL = `DO $lockstep$
DECLARE deferred text; every text;
BEGIN
  SELECT string_agg(format('%I.%I', n.nspname, c.conname), ', ') FILTER (WHERE c.condeferred),
         string_agg(format('%I.%I', n.nspname, c.conname), ', ')
    INTO deferred, every
    FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_namespace n ON n.oid = c.connamespace
    -- SET CONSTRAINTS … DEFERRED refuses a name that a constraint of the same schema shares without being deferrable.
    WHERE ${WITHIN_REACH} AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint o
      WHERE o.connamespace = c.connamespace AND o.conname = c.conname AND NOT o.condeferrable);
  IF every IS NOT NULL THEN EXECUTE 'SET CONSTRAINTS ' || every || ' IMMEDIATE'; END IF;
  IF deferred IS NOT NULL THEN EXECUTE 'SET CONSTRAINTS ' || deferred || ' DEFERRED'; END IF;
END $lockstep$`

/** Whether the database has anything that can be deferred; most have not, and need no firing. */
export async function hasDeferrable(connection: Connection): Promise<boolean> {
  const { rows } = await connection.query(
    `SELECT EXISTS (SELECT FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_namespace n ON n.oid = c.connamespace
    WHERE ${WITHIN_REACH}) AS found`,
  )
  return rows[0]?.found === true
}

/** Whether the step may make something deferrable. A false alarm costs one cheap statement. */
export function mayDefer(step: Step): boolean {
  return step.kind === 'ts' || /deferr/i.test(step.migration.source)
}
