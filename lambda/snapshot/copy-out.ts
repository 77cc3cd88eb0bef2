import type { Transform } from 'node:stream'
import { constants, createZstdCompress } from 'node:zlib'
import type pg from 'pg'
import { messageOf } from '../errors.ts'
import type { CatalogTable } from './catalog.ts'
import { createChunkSink, type ChunkSink } from './chunk-sink.ts'
import { copyFault } from './copy-failure.ts'
import type { CopyTask } from './copy-plan.ts'
import { readCopies } from './copy-reader.ts'
import { copyInSql, copyOutSql } from './copy-sql.ts'
import { remedyFor } from './failure.ts'
import { Fault } from './fault.ts'
import type { SnapshotObject, SnapshotPart } from './manifest.ts'
import { readLargeObjects } from './large-object-script.ts'
import type { LargeObjectRange } from './large-objects.ts'
import { writeObject } from './object-transfer.ts'
import { socketOf } from './session.ts'
import type { SnapshotStore } from './store.ts'

const CHUNK_BYTES = 256 * 1024

export interface CopyOutTarget {
  readonly store: SnapshotStore
  readonly prefix: string
  readonly key: string
  readonly encoding: string
}

/** A task's result: its object, and which rows of which table are in it. */
export interface CopiedTask {
  readonly object: SnapshotObject
  readonly parts: readonly CopiedPart[]
  /** Which are in it; null: it holds rows. */
  readonly largeObjects: LargeObjectRange | null
}

export interface CopiedPart {
  readonly table: CatalogTable
  readonly part: SnapshotPart
}

/**
 * Streams a task's rows, compressed, to the target. When it fails, the session is of no use any more.
 *
 * @param onBytes Told how many more bytes of rows, before compression, have been read.
 * @throws Fault naming the table, or the object when the store refuses it.
 */
export async function copyOut(
  client: pg.Client,
  target: CopyOutTarget,
  task: CopyTask,
  onBytes: (bytes: number) => void,
): Promise<CopiedTask> {
  const zstd = compressor()
  const writing = writeObject(target.store, target, zstd)
  let refusal: Fault | null = null
  const settled = writing.catch((error: unknown) => {
    refusal = storeFault(target.key, task, error)
    // Nobody takes the rows any more: nobody need send them.
    socketOf(client).destroy()
  })
  try {
    const sink = createChunkSink(zstd, onBytes)
    const largeObjects = task.kind === 'large-objects' ? task.range : null
    if (largeObjects !== null) await readLargeObjects(client, largeObjects, sink)
    const parts = task.kind === 'large-objects' ? [] : await readRows(client, target, task, sink)
    sink.end()
    return { object: await writing, parts, largeObjects }
  } catch (error) {
    const reason = refusal ?? error
    zstd.destroy(reason instanceof Error ? reason : new Error(messageOf(reason)))
    await settled
    throw reason
  }
}

async function readRows(
  client: pg.Client,
  { key, encoding }: CopyOutTarget,
  task: Exclude<CopyTask, { readonly kind: 'large-objects' }>,
  sink: ChunkSink,
): Promise<readonly CopiedPart[]> {
  const tables = task.kind === 'table' ? [task.table] : task.tables
  const range = task.kind === 'table' ? task.range : null
  const parts: CopiedPart[] = []
  let start = 0
  const isScript = task.kind === 'pack'
  try {
    await readCopies(
      client,
      tables.map((table) => copyOutSql(table, encoding, range)),
      sink,
      {
        onBegin: (index) => {
          const table = tables[index]
          if (isScript && table !== undefined) sink.appendText(`${copyInSql(table, encoding)};\n`)
          start = sink.bytes()
        },
        onEnd: (index, rows) => {
          const table = tables[index]
          const slice = isScript ? { start, bytes: sink.bytes() - start } : null
          if (table !== undefined) parts.push({ table, part: { key, rows, slice } })
          if (isScript) sink.appendText(END_OF_ROWS)
        },
      },
    )
    return parts
  } catch (error) {
    // Those before it were copied.
    const table = tables[parts.length] ?? tables[0]
    throw table === undefined ? error : copyFault('copy', table, error)
  }
}

/** Ends the rows in a script for psql. */
const END_OF_ROWS = '\\.\n'

function storeFault(key: string, task: CopyTask, error: unknown): Fault {
  if (task.kind === 'table') return copyFault('copy', task.table, error)
  if (error instanceof Fault) return error
  return new Fault(`cannot write ${key}: ${messageOf(error)}`, remedyFor(error), error)
}

/**
 * Level 1 takes the least CPU, which the server often shares: on the rows of `bench -- snapshot` 2.5 s for a gigabyte.
 * There -1 saves 15 % of it and stores 25 % more; 2 and 3 take 6 % and 20 % more and store 6 % and 13 % less, but on
 * rows with hashes and keys 25 % and 95 % more, and store more than level 1 does. Larger windows and tables likewise.
 */
const LEVEL = 1

function compressor(): Transform {
  return createZstdCompress({
    chunkSize: CHUNK_BYTES,
    params: {
      [constants.ZSTD_c_compressionLevel]: LEVEL,
      // Lets `zstd -t` find damage without the manifest.
      [constants.ZSTD_c_checksumFlag]: 1,
    },
  })
}
