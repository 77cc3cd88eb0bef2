import type pg from 'pg'
import {
  listPartitionedTables,
  listSequences,
  listTables,
  qualified,
  type CatalogObject,
  type CatalogTable,
} from './catalog.ts'
import { sqlStateOf } from './failure.ts'
import { Fault } from './fault.ts'

/** A transaction whose view of the database other sessions can share. */
export interface ConsistentView {
  /** For `SET TRANSACTION SNAPSHOT` and `pg_dump --snapshot`. Valid while the transaction is open. */
  readonly snapshotId: string
  readonly tables: readonly CatalogTable[]
  readonly sequences: readonly CatalogObject[]
}

const ATTEMPTS = 5

/**
 * Begins the transaction that the whole snapshot is read in. The tables are locked (ACCESS SHARE) before the view is
 * fixed: a TRUNCATE or a rewrite that commits between the two would make rows invisible that nobody had deleted.
 * Partitioned tables are locked before their partitions, as whoever changes them does: the other way round is a deadlock.
 *
 * @throws Fault when a table may not be read, or the set of tables changes faster than it can be locked.
 */
export async function openConsistentView(client: pg.Client): Promise<ConsistentView> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const candidates = await listTables(client)
    const partitioned = await listPartitionedTables(client)
    const all = [...partitioned, ...candidates]
    refuseUnreadable('table', all)
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    if (await lockAll(client, all)) {
      const snapshotId = await exportSnapshot(client)
      const tables = await listTables(client)
      if (sameTables(candidates, tables)) return { snapshotId, tables, sequences: await readableSequences(client) }
    }
    await client.query('ROLLBACK')
  }
  throw new Fault(
    `tables were created or dropped during each of ${ATTEMPTS} attempts to fix a consistent view.`,
    'Stop what creates and drops tables, and try again.',
  )
}

async function readableSequences(client: pg.Client): Promise<readonly CatalogObject[]> {
  const sequences = await listSequences(client)
  refuseUnreadable('sequence', sequences)
  return sequences
}

function refuseUnreadable(kind: 'table' | 'sequence', objects: readonly CatalogObject[]): void {
  const refused = objects.filter((object) => !object.readable).map((object) => `${object.schema}.${object.name}`)
  if (refused.length === 0) return
  const named = refused.slice(0, 10).join(', ') + (refused.length > 10 ? ` and ${refused.length - 10} more` : '')
  throw new Fault(
    `no permission to read ${kind} ${named}.`,
    `GRANT USAGE on the schema and SELECT on the ${kind} to the role that Lockstep connects with, or connect as the owner.`,
  )
}

/** False when a table was dropped meanwhile. */
async function lockAll(client: pg.Client, tables: readonly CatalogObject[]): Promise<boolean> {
  if (tables.length === 0) return true
  const names = tables.map((table) => `ONLY ${qualified(table)}`).join(', ')
  try {
    await client.query(`LOCK TABLE ${names} IN ACCESS SHARE MODE`)
    return true
  } catch (error) {
    // undefined_table, invalid_schema_name (PostgreSQL, appendix A)
    if (['42P01', '3F000'].includes(sqlStateOf(error) ?? '')) return false
    throw error
  }
}

async function exportSnapshot(client: pg.Client): Promise<string> {
  const result = await client.query<{ id: string }>('SELECT pg_catalog.pg_export_snapshot() AS id')
  const id = result.rows[0]?.id
  if (id === undefined) throw new Error('pg_export_snapshot() returned nothing')
  return id
}

function sameTables(before: readonly CatalogTable[], after: readonly CatalogTable[]): boolean {
  const locked = new Set(before.map((table) => table.oid))
  return after.every((table) => locked.has(table.oid))
}
