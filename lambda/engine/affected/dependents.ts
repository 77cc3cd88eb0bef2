import type { Connection } from '../database.ts'
import type { DependedOn } from './mentions.ts'
import type { ObjectName } from './tree.ts'

/** An object whose dependents are wanted; a relation by its oid, others by name. */
export type Start =
  | { readonly kind: 'relation'; readonly oid: string; readonly why: string }
  | {
      readonly kind: DependedOn
      readonly name: ObjectName
      /** A name without a schema may be in any, not only in those of the search path. */
      readonly anywhere: boolean
      readonly why: string
    }

export interface Dependent {
  readonly oid: string
  readonly why: string
}

// Dependencies are followed as DROP … CASCADE follows them: what is an internal part of something takes that with it.
const DEPENDENTS = `WITH RECURSIVE wanted AS (
  SELECT w.kind, w.oid, w.schema, w.name, w.anywhere, w.start
  FROM unnest($1::text[], $2::pg_catalog.oid[], $3::text[], $4::text[], $5::boolean[]) WITH ORDINALITY
    AS w (kind, oid, schema, name, anywhere, start)
), named AS (
  SELECT w.kind, w.name, w.start, n.oid AS namespace FROM wanted w JOIN pg_catalog.pg_namespace n
    ON n.nspname = w.schema OR w.schema IS NULL AND (w.anywhere OR n.nspname = ANY (pg_catalog.current_schemas(false)))
), reached (start, classid, objid) AS (
  SELECT start, 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid, oid FROM wanted WHERE kind = 'relation'
  UNION SELECT w.start, 'pg_catalog.pg_type'::pg_catalog.regclass, t.oid
    FROM named w JOIN pg_catalog.pg_type t ON t.typname = w.name AND t.typnamespace = w.namespace WHERE w.kind = 'type'
  UNION SELECT w.start, 'pg_catalog.pg_proc'::pg_catalog.regclass, p.oid
    FROM named w JOIN pg_catalog.pg_proc p ON p.proname = w.name AND p.pronamespace = w.namespace WHERE w.kind = 'function'
  UNION SELECT w.start, 'pg_catalog.pg_namespace'::pg_catalog.regclass, n.oid
    FROM wanted w JOIN pg_catalog.pg_namespace n ON n.nspname = w.name WHERE w.kind = 'schema'
  UNION SELECT w.start, 'pg_catalog.pg_extension'::pg_catalog.regclass, x.oid
    FROM wanted w JOIN pg_catalog.pg_extension x ON x.extname = w.name WHERE w.kind = 'extension'
), closure (start, classid, objid) AS (
  SELECT * FROM reached
  UNION
  SELECT c.start, next.classid, next.objid FROM closure c, LATERAL (
    SELECT d.classid, d.objid FROM pg_catalog.pg_depend d WHERE d.refclassid = c.classid AND d.refobjid = c.objid
    UNION ALL SELECT d.refclassid, d.refobjid FROM pg_catalog.pg_depend d
      WHERE d.classid = c.classid AND d.objid = c.objid AND d.deptype = 'i') AS next
)
SELECT c.start, t.oid::text AS oid FROM closure c JOIN pg_catalog.pg_class t ON t.oid = c.objid
WHERE c.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND t.relkind IN ('r', 'p')`

/** The tables that depend on these objects, over any number of steps: they, or columns of them, may go with them. */
export async function readDependents(connection: Connection, starts: readonly Start[]): Promise<readonly Dependent[]> {
  if (starts.length === 0) return []
  const named = starts.map((start) => (start.kind === 'relation' ? null : start))
  const { rows } = await connection.query(DEPENDENTS, [
    starts.map(({ kind }) => kind),
    starts.map((start) => (start.kind === 'relation' ? start.oid : null)),
    named.map((start) => start?.name.schema ?? null),
    named.map((start) => start?.name.name ?? null),
    named.map((start) => start?.anywhere ?? false),
  ])
  return rows.map((row) => ({ oid: String(row.oid), why: starts[Number(row.start) - 1]?.why ?? '' }))
}
