import { listTables, measureTables } from './catalog.ts'
import { chooseTables, readPartitionAncestors } from './chosen-tables.ts'
import type { SnapshotManifest } from './manifest.ts'
import { databaseSegment } from './names.ts'
import type { SnapshotSelection } from './scope.ts'
import { prepareSession, withSessions } from './session.ts'
import type { SnapshotContext } from './snapshot.ts'
import type { SnapshotStore } from './store.ts'
import { readListedManifest } from './stored-manifest.ts'

/** What a snapshot would hold. */
export interface SelectionSize {
  readonly database: string
  /** Whose rows it would hold. */
  readonly tables: number
  readonly omittedTables: number
  /** On the server's disk, without indexes. */
  readonly bytes: number
}

/** How fast rows are copied, in bytes of the server's disk. */
export interface CopySpeed {
  readonly bytesPerSecond: number
  /** `measured`: by the last snapshot of the same database. */
  readonly basis: 'measured' | 'assumed'
}

/**
 * Sizes up what a snapshot would copy, without locking anything.
 *
 * @throws LockstepError `DATABASE_UNREACHABLE`, and what PostgreSQL refuses.
 */
export async function sizeOfSelection(context: SnapshotContext, selection: SnapshotSelection): Promise<SelectionSize> {
  return withSessions(context, async (open) => {
    const client = await open()
    await prepareSession(client, { lock_timeout: '2s' })
    const database = await client.query<{ name: string }>('SELECT current_database() AS name')
    const { tables } = chooseTables(await listTables(client), await readPartitionAncestors(client), selection)
    const copied = tables.filter(({ omitted }) => omitted === null).map(({ table }) => table)
    const sizes = await measureTables(client, copied)
    return {
      database: database.rows[0]?.name ?? '',
      tables: copied.length,
      omittedTables: tables.length - copied.length,
      bytes: sizes.reduce((total, { bytes }) => total + bytes, 0),
    }
  })
}

/** So much has to be copied for the time to tell the speed of copying, rather than that of starting. */
const TELLING_BYTES = 64 * 1024 * 1024
/** Manifests that are looked at for one that tells. */
const RECENT = 3

/**
 * What copying could be at best, as long as nothing was measured. A gigabyte was seen to take five seconds of the
 * processor: a function of 1,024 MB, with 0.58 of a core, comes to 120 MB/s, and its network to less. A snapshot that
 * turns out slower than there is time for is given up while it is under way.
 */
const ASSUMED_BYTES_PER_WORKER = 25_000_000
const ASSUMED_MOST_BYTES = 100_000_000

/** By the newest snapshots of the database that tell, else as assumed. */
export async function copySpeed(
  { store, workers }: { readonly store: SnapshotStore; readonly workers: number },
  database: string,
): Promise<CopySpeed> {
  const keys = await store.list(`${databaseSegment(database)}/`)
  const manifests = keys.filter((key) => /^[^/]+\/[^/]+\/manifest\.json$/.test(key)).toReversed()
  for (const key of manifests.slice(0, RECENT)) {
    const speed = speedIn(await readListedManifest(store, key))
    if (speed !== null) return { bytesPerSecond: speed, basis: 'measured' }
  }
  return { bytesPerSecond: Math.min(workers * ASSUMED_BYTES_PER_WORKER, ASSUMED_MOST_BYTES), basis: 'assumed' }
}

function speedIn(manifest: SnapshotManifest | null): number | null {
  if (manifest === null) return null
  const { tableBytes, durationMs } = manifest.copied
  return tableBytes < TELLING_BYTES ? null : (tableBytes * 1000) / Math.max(1, durationMs)
}
