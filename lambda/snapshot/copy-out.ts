import type { Transform } from 'node:stream'
import { constants, createZstdCompress } from 'node:zlib'
import type pg from 'pg'
import { to as copyTo, type CopyToStreamQuery } from 'pg-copy-streams'
import type { CatalogTable } from './catalog.ts'
import { copyFault } from './copy-failure.ts'
import { copyOutSql } from './copy-sql.ts'
import type { SnapshotObject } from './manifest.ts'
import { writeObject } from './object-transfer.ts'
import type { SnapshotStore } from './store.ts'

const CHUNK_BYTES = 256 * 1024

export interface CopyOutTarget {
  readonly store: SnapshotStore
  readonly prefix: string
  readonly encoding: string
}

/**
 * Streams a table's rows, compressed, to `key`.
 *
 * @throws Fault naming the table.
 */
export async function copyTableOut(
  client: pg.Client,
  target: CopyOutTarget & { readonly key: string },
  table: CatalogTable,
  onBytes: (bytes: number) => void,
): Promise<{ readonly object: SnapshotObject; readonly rows: number }> {
  const copy = client.query(copyTo(copyOutSql(table, target.encoding)))
  const completed = completion(client, copy)
  // Awaited later; until then its failure must not count as unhandled.
  completed.catch(() => {})
  try {
    const object = await writeObject(target.store, target, copy, [compressor()], onBytes)
    await completed
    return { object, rows: copy.rowCount }
  } catch (error) {
    throw copyFault('copy', table, error)
  }
}

function compressor(): Transform {
  return createZstdCompress({
    chunkSize: CHUNK_BYTES,
    params: {
      [constants.ZSTD_c_compressionLevel]: 1,
      // Lets `zstd -t` find damage without the manifest.
      [constants.ZSTD_c_checksumFlag]: 1,
    },
  })
}

/** The stream ends before the server has confirmed the number of rows; the session is idle again only then. */
function completion(client: pg.Client, copy: CopyToStreamQuery): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  client.once('drain', resolve)
  copy.once('error', (error: Error) => {
    client.off('drain', resolve)
    reject(error)
  })
  return promise
}
