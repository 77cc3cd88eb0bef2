import { createZstdDecompress } from 'node:zlib'
import { pipeline } from 'node:stream/promises'
import type pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { createByteCursor, type ByteCursor } from './byte-cursor.ts'
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
  const rows = part.slice?.bytes === 0 ? 0 : await copyRows(client, target.encoding, cursor, table, part)
  if (rows !== part.rows) throw wrongRows(table, part, rows)
  target.onRows?.(entry, rows)
}

async function copyRows(
  client: pg.Client,
  encoding: string,
  cursor: ByteCursor,
  table: SnapshotTable,
  { slice }: SnapshotPart,
): Promise<number> {
  if (slice !== null) await cursor.skipTo(slice.start)
  const copy = client.query(copyFrom(copyInSql(table, encoding)))
  try {
    await pipeline(cursor.take(slice?.bytes ?? Infinity), copy)
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
