import { addAbortSignal, PassThrough } from 'node:stream'
import { createZstdDecompress } from 'node:zlib'
import type { SnapshotProblem } from '../snapshot-contract.ts'
import { messageOf } from '../errors.ts'
import { createByteCursor, type ByteCursor } from './byte-cursor.ts'
import type { SnapshotPart } from './manifest.ts'
import { readObject } from './object-transfer.ts'
import type { RestoreTask } from './restore-tasks.ts'
import type { SnapshotStore } from './store.ts'

const CHUNK_BYTES = 256 * 1024
const LINE_FEED = 10

export interface ObjectReader {
  readonly store: SnapshotStore
  readonly prefix: string
  /** Told of the stored bytes as they are read. */
  readonly onBytes: (bytes: number) => void
  readonly signal: AbortSignal | undefined
}

/** Reads one object from beginning to end and gives what is wrong with it. Never throws. */
export async function checkObject(
  { store, prefix, onBytes, signal }: ObjectReader,
  { object, entries }: RestoreTask,
): Promise<readonly SnapshotProblem[]> {
  const problems: SnapshotProblem[] = []
  const report = (message: string): void => void problems.push({ object: object.key, message })
  const count = async (source: AsyncIterable<Buffer>): Promise<void> => {
    const cursor = createByteCursor(source, object.key)
    for (const { table, part } of entries) {
      const rows = await rowsIn(cursor, part)
      if (rows !== part.rows) report(`holds ${rows} rows of ${table.schema}.${table.name} instead of ${part.rows}`)
    }
    await cursor.drain()
  }
  const transform = object.key.endsWith('.zst') ? createZstdDecompress({ chunkSize: CHUNK_BYTES }) : new PassThrough()
  if (signal !== undefined) addAbortSignal(signal, transform)
  try {
    await readObject(store, prefix, object, count, transform, onBytes)
  } catch (error) {
    report(messageOf(error))
  }
  return problems
}

/** Every row of COPY's text format ends with a line feed; those inside of values are written `\n`. */
async function rowsIn(cursor: ByteCursor, { slice }: SnapshotPart): Promise<number> {
  if (slice !== null) await cursor.skipTo(slice.start)
  let rows = 0
  for await (const piece of cursor.take(slice?.bytes ?? Infinity)) {
    for (let at = piece.indexOf(LINE_FEED); at !== -1; at = piece.indexOf(LINE_FEED, at + 1)) rows += 1
  }
  return rows
}
