import { createZstdDecompress } from 'node:zlib'
import { pipeline } from 'node:stream/promises'
import type pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { createByteCursor, type ByteCursor } from './byte-cursor.ts'
import { qualified } from './catalog.ts'
import { copyFault } from './copy-failure.ts'
import { copyInSql } from './copy-sql.ts'
import { sqlStateOf } from './failure.ts'
import { Fault } from './fault.ts'
import type { SnapshotPart, SnapshotTable } from './manifest.ts'
import { readObject } from './object-transfer.ts'
import type { RestoreEntry, RestoreTask } from './restore-tasks.ts'
import type { SnapshotStore } from './store.ts'

const CHUNK_BYTES = 256 * 1024

export interface CopyInTarget {
  readonly store: SnapshotStore
  readonly prefix: string
  readonly encoding: string
  /** Told of the compressed bytes as they are read. */
  readonly onBytes?: (bytes: number) => void
  /** Whether this restore has made the table, and nobody else has filled it or looked at it. @default never */
  readonly isOurs?: (table: SnapshotTable) => boolean
  /** Told of the rows of each part once they are in. */
  readonly onRows?: (entry: RestoreEntry, rows: number) => void
  /** Whether what a check refuses can be tried again, once other tables are filled. @default it fails */
  readonly mayPostpone?: boolean
}

/** Rows that a check has refused; none of them are in. */
export interface Postponed {
  readonly entry: RestoreEntry
  readonly error: unknown
}

/**
 * Streams the rows of one object into the tables that they belong to, and counts them.
 *
 * @returns what is to be tried again.
 * @throws Fault naming the object when it is damaged, or the table when the server refuses a row or too few arrive.
 */
export async function copyIn(
  client: pg.Client,
  target: CopyInTarget,
  task: RestoreTask,
): Promise<readonly Postponed[]> {
  const { store, prefix, onBytes, mayPostpone = false } = target
  const postponed: Postponed[] = []
  const fill = async (source: AsyncIterable<Buffer>): Promise<void> => {
    const cursor = createByteCursor(source, task.object.key)
    for (const entry of task.entries) {
      try {
        await fillTable(client, target, cursor, entry)
      } catch (error) {
        if (!mayPostpone || !isRefusedByCheck(error)) throw error
        postponed.push({ entry, error })
      }
    }
    await cursor.drain()
  }
  await readObject(store, prefix, task.object, fill, createZstdDecompress({ chunkSize: CHUNK_BYTES }), onBytes)
  return postponed
}

/** check_violation, or what its function raises (PostgreSQL, appendix A): it may look for rows of another table. */
function isRefusedByCheck(error: unknown): boolean {
  return ['23514', 'P0001'].includes(sqlStateOf(error) ?? '')
}

async function fillTable(
  client: pg.Client,
  target: CopyInTarget,
  cursor: ByteCursor,
  entry: RestoreEntry,
): Promise<void> {
  const { table, part } = entry
  const rows = part.slice?.bytes === 0 ? 0 : await copyEntry(client, target, cursor, entry)
  if (rows !== part.rows) throw wrongRows(table, part, rows)
  target.onRows?.(entry, rows)
}

async function copyEntry(
  client: pg.Client,
  { encoding, isOurs }: CopyInTarget,
  cursor: ByteCursor,
  { table, part }: RestoreEntry,
): Promise<number> {
  const { slice } = part
  if (slice !== null) await cursor.skipTo(slice.start)
  const rows = cursor.take(slice?.bytes ?? Infinity)
  const isAlone = slice === null && table.parts.length === 1
  if (!isAlone || isOurs?.(table) !== true) return copyRows(client, table, copyInSql(table, encoding), rows)
  // Rows of a table that was emptied in the same transaction can be written as they would be after a vacuum: it need
  // not be done later, indexes can be read without the table, and no page is written again when it is first read.
  await client.query(`BEGIN; TRUNCATE ONLY ${qualified(table)}`)
  try {
    const count = await copyRows(client, table, copyInSql(table, encoding, 'FREEZE'), rows)
    await client.query('COMMIT')
    return count
  } catch (error) {
    if (isRefusedByCheck(error)) await client.query('ROLLBACK')
    throw error
  }
}

async function copyRows(
  client: pg.Client,
  table: SnapshotTable,
  sql: string,
  rows: AsyncIterable<Buffer>,
): Promise<number> {
  const copy = client.query(copyFrom(sql))
  try {
    await pipeline(rows, copy)
  } catch (error) {
    throw copyFault('fill', table, error)
  }
  return copy.rowCount
}

function wrongRows(table: SnapshotTable, part: SnapshotPart, rows: number): Fault {
  return new Fault(
    `object ${part.key} holds ${rows} rows of table ${table.schema}.${table.name} instead of ${part.rows}.`,
    'Restore another snapshot ("snapshots" lists them).',
  )
}
