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

/** How large a table is on disk, and how it is kept. */
export interface TableSize {
  /** Kept by PostgreSQL's own access method, whose rows can be found by their page. */
  readonly isHeap: boolean
  /** Of the heap, as of now. */
  readonly pages: number
  /** As of now: the heap and the values that are kept out of line. */
  readonly bytes: number
}

/** A sequence or a partitioned table. */
export interface CatalogObject {
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

const PARTITIONED = `
  SELECT n.nspname::text AS schema, c.relname::text AS name, ${READABLE}
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace ${EXTENSION}
   WHERE c.relkind = 'p' AND ${NOT_OURS} AND ${DUMPED}
   ORDER BY c.oid`

const SEQUENCES = `
  SELECT n.nspname::text AS schema, c.relname::text AS name, ${READABLE}
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace ${EXTENSION}
   WHERE c.relkind = 'S' AND ${NOT_OURS} AND ${DUMPED}
   ORDER BY n.nspname, c.relname`

const SIZES = `
  SELECT c.oid::text AS oid, m.amname IS NOT DISTINCT FROM 'heap' AS "isHeap",
         coalesce(size.heap / pg_catalog.current_setting('block_size')::int, 0)::float8 AS pages,
         coalesce(size.heap + size.toast, 0)::float8 AS bytes
    FROM pg_catalog.pg_class c
    LEFT JOIN pg_catalog.pg_am m ON m.oid = c.relam
    CROSS JOIN LATERAL (
      SELECT pg_catalog.pg_relation_size(c.oid) AS heap,
             CASE c.reltoastrelid WHEN 0 THEN 0 ELSE pg_catalog.pg_relation_size(c.reltoastrelid) END AS toast
    ) AS size
   WHERE c.oid = ANY ($1::oid[])`

/** The tables with their sizes. They should be locked: reading a size waits for whoever rewrites the table. */
export async function measureTables(
  client: pg.Client,
  tables: readonly CatalogTable[],
): Promise<readonly (CatalogTable & TableSize)[]> {
  const { rows } = await client.query<TableSize & { readonly oid: string }>(SIZES, [tables.map(({ oid }) => oid)])
  const sizes = new Map(rows.map(({ oid, ...size }) => [oid, size]))
  return tables.map((table) => ({ ...table, ...(sizes.get(table.oid) ?? UNKNOWN_SIZE) }))
}

const UNKNOWN_SIZE: TableSize = { isHeap: false, pages: 0, bytes: 0 }

export async function listTables(client: pg.Client): Promise<readonly CatalogTable[]> {
  return (await client.query<CatalogTable>(TABLES)).rows
}

/** Tables without rows of their own: their partitions have them. */
export async function listPartitionedTables(client: pg.Client): Promise<readonly CatalogObject[]> {
  return (await client.query<CatalogObject>(PARTITIONED)).rows
}

export async function listSequences(client: pg.Client): Promise<readonly CatalogObject[]> {
  return (await client.query<CatalogObject>(SEQUENCES)).rows
}

/** `"schema"."name"`. */
export function qualified(object: { readonly schema: string; readonly name: string }): string {
  return `${quoteIdentifier(object.schema)}.${quoteIdentifier(object.name)}`
}
