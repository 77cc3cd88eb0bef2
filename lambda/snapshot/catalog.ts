import type pg from 'pg'
import { quoteIdentifier } from '../engine/database.ts'

/** A table whose rows are copied: a plain table, a partition, or a parent in an inheritance tree. */
export interface CatalogTable {
  readonly oid: string
  readonly schema: string
  readonly name: string
  /** In order, without generated ones: those are computed again. */
  readonly columns: readonly string[]
  /** `WHERE …` for an extension's configuration table, whose other rows come from the extension itself. */
  readonly filter: string | null
  readonly readable: boolean
}

export interface CatalogSequence {
  readonly schema: string
  readonly name: string
  readonly readable: boolean
}

const NOT_OURS = `n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND c.relpersistence <> 't'`

// An extension's own relations are made by CREATE EXTENSION; only those that it declares as configuration carry data.
const EXTENSION = `
  LEFT JOIN LATERAL (
    SELECT true AS member,
           c.oid = ANY (coalesce(x.extconfig, '{}')) AS configuration,
           x.extcondition[array_position(x.extconfig, c.oid)] AS condition
      FROM pg_catalog.pg_depend d
      JOIN pg_catalog.pg_extension x ON x.oid = d.refobjid
     WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0
       AND d.refclassid = 'pg_catalog.pg_extension'::regclass AND d.deptype = 'e'
  ) AS extension ON true`

const DUMPED = `(extension.member IS NULL OR extension.configuration)`

const READABLE = `coalesce(pg_catalog.has_schema_privilege(n.oid, 'USAGE')
  AND pg_catalog.has_table_privilege(c.oid, 'SELECT'), true) AS readable`

const TABLES = `
  SELECT c.oid::text AS oid, n.nspname::text AS schema, c.relname::text AS name,
         ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a
                WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
                ORDER BY a.attnum) AS columns,
         nullif(extension.condition, '') AS filter, ${READABLE}
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace ${EXTENSION}
   WHERE c.relkind = 'r' AND ${NOT_OURS} AND ${DUMPED}
   ORDER BY n.nspname, c.relname`

const SEQUENCES = `
  SELECT n.nspname::text AS schema, c.relname::text AS name, ${READABLE}
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace ${EXTENSION}
   WHERE c.relkind = 'S' AND ${NOT_OURS} AND ${DUMPED}
   ORDER BY n.nspname, c.relname`

export async function listTables(client: pg.Client): Promise<readonly CatalogTable[]> {
  return (await client.query<CatalogTable>(TABLES)).rows
}

export async function listSequences(client: pg.Client): Promise<readonly CatalogSequence[]> {
  return (await client.query<CatalogSequence>(SEQUENCES)).rows
}

export async function countLargeObjects(client: pg.Client): Promise<number> {
  const result = await client.query<{ count: string }>(
    'SELECT pg_catalog.count(*) AS count FROM pg_catalog.pg_largeobject_metadata',
  )
  return Number(result.rows[0]?.count ?? 0)
}

/** `"schema"."name"`. */
export function qualified(object: { readonly schema: string; readonly name: string }): string {
  return `${quoteIdentifier(object.schema)}.${quoteIdentifier(object.name)}`
}
