import { createZstdDecompress } from 'node:zlib'
import { pipeline } from 'node:stream/promises'
import type pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { createByteCursor, type ByteCursor } from './byte-cursor.ts'
import { qualified } from './catalog.ts'
import { copyFault } from './copy-failure.ts'
import { copyInSql } from './copy-sql.ts'
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
}

/**
 * Streams the rows of one object into the tables that they belong to, and counts them.
 *
 * @throws Fault naming the object when it is damaged, or the table when the server refuses a row or too few arrive.
 */
export async function copyIn(client: pg.Client, target: CopyInTarget, task: RestoreTask): Promise<void> {
  const { store, prefix, onBytes } = target
  const fill = async (source: AsyncIterable<Buffer>): Promise<void> => {
    const cursor = createByteCursor(source, task.object.key)
    for (const entry of task.entries) await fillTable(client, target, cursor, entry)
    await cursor.drain()
  }
  await readObject(store, prefix, task.object, fill, createZstdDecompress({ chunkSize: CHUNK_BYTES }), onBytes)
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
  const count = await copyRows(client, table, copyInSql(table, encoding, 'FREEZE'), rows)
  await client.query('COMMIT')
  return count
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
