import type { Transform } from 'node:stream'
import { constants, createZstdCompress, createZstdDecompress } from 'node:zlib'
import type pg from 'pg'
import { from as copyFrom, to as copyTo, type CopyToStreamQuery } from 'pg-copy-streams'
import { messageOf } from '../errors.ts'
import type { CatalogTable } from './catalog.ts'
import { remedyFor, sqlStateOf } from './failure.ts'
import { Fault } from './fault.ts'
import { copyInSql, copyOutSql } from './manual-restore.ts'
import type { SnapshotObject, SnapshotTable } from './manifest.ts'
import { readObject, writeObject } from './object-transfer.ts'
import type { SnapshotStore } from './store.ts'

const CHUNK_BYTES = 256 * 1024

export interface CopyTarget {
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
  target: CopyTarget & { readonly key: string },
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
    throw naming('copy', table, error)
  }
}

/**
 * Streams the stored rows of a table into the table, checking the object on the way.
 *
 * @throws Fault naming the object when it is damaged, or the table when the server refuses a row.
 */
export async function copyTableIn(
  client: pg.Client,
  target: CopyTarget,
  table: SnapshotTable,
  object: SnapshotObject,
): Promise<number> {
  const copy = copyFrom(copyInSql(table, target.encoding))
  try {
    await readObject(target.store, target.prefix, object, () => client.query(copy), [
      createZstdDecompress({ chunkSize: CHUNK_BYTES }),
    ])
  } catch (error) {
    throw naming('fill', table, error)
  }
  return copy.rowCount
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

function naming(
  verb: 'copy' | 'fill',
  table: { readonly schema: string; readonly name: string },
  error: unknown,
): Fault {
  if (error instanceof Fault) return error
  const remedy =
    sqlStateOf(error) === '42501'
      ? 'Connect as the owner of the table, or as a role that may read it and that row-level security does not bind (BYPASSRLS).'
      : remedyFor(error)
  return new Fault(`cannot ${verb} table ${table.schema}.${table.name}: ${messageOf(error)}`, remedy, error)
}
