import { Transform } from 'node:stream'
import { createZstdDecompress } from 'node:zlib'
import type pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { copyFault } from './copy-failure.ts'
import { copyInSql } from './copy-sql.ts'
import type { SnapshotObject, SnapshotPart, SnapshotTable } from './manifest.ts'
import { readObject } from './object-transfer.ts'
import type { SnapshotStore } from './store.ts'

const CHUNK_BYTES = 256 * 1024

export interface CopyInTarget {
  readonly store: SnapshotStore
  readonly prefix: string
  readonly encoding: string
}

/**
 * Streams the stored rows of a table into the table, checking the object on the way.
 *
 * @throws Fault naming the object when it is damaged, or the table when the server refuses a row.
 */
export async function copyTableIn(
  client: pg.Client,
  target: CopyInTarget,
  table: SnapshotTable,
  object: SnapshotObject,
  slice: SnapshotPart['slice'] = null,
): Promise<number> {
  const copy = copyFrom(copyInSql(table, target.encoding))
  try {
    await readObject(target.store, target.prefix, object, () => client.query(copy), [
      createZstdDecompress({ chunkSize: CHUNK_BYTES }),
      ...(slice === null ? [] : [cutOut(slice)]),
    ])
  } catch (error) {
    throw copyFault('fill', table, error)
  }
  return copy.rowCount
}

/** Lets only a range of the bytes through. */
function cutOut({ start, bytes }: NonNullable<SnapshotPart['slice']>): Transform {
  let position = 0
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const piece = chunk.subarray(Math.max(0, start - position), Math.max(0, start + bytes - position))
      position += chunk.length
      done(null, piece)
    },
  })
}
