import type { SnapshotListing } from './contract.ts'
import type { Lockstep } from './lockstep.ts'
import type { IncompleteSnapshot } from './snapshot-contract.ts'
import { listIncomplete } from './snapshot/incomplete.ts'
import { listSnapshots } from './snapshot/snapshot.ts'
import { listStorageSnapshots, takeStorageSnapshot } from './snapshot/storage-snapshot.ts'

/** What a snapshot of the storage cannot tell: nobody has counted. */
interface Uncounted {
  readonly bytes: null
  readonly tables: null
  readonly rows: null
}

/** A snapshot of an instance's or cluster's storage. */
export interface StorageSnapshotResult extends Uncounted {
  /** The snapshot's ARN. */
  readonly uri: string
  readonly database: string
  readonly durationMs: number
}

export interface StorageSnapshotListing extends Uncounted {
  /** The snapshot's ARN. */
  readonly uri: string
  readonly database: string
  readonly createdAt: string
}

/** Has RDS take one now, outside of a run. @throws LockstepError `SNAPSHOT_FAILED`, `SECRET_UNREADABLE`. */
export async function storageSnapshotNow(lockstep: Lockstep, id: string): Promise<StorageSnapshotResult> {
  const began = lockstep.clock.monotonic()
  const { arn } = await takeStorageSnapshot(lockstep.storage(), id)
  const durationMs = Math.round(lockstep.clock.monotonic() - began)
  return { uri: arn, database: await lockstep.databaseName(), ...UNCOUNTED, durationMs }
}

/** Those in the store, and those that RDS keeps of this set; newest first. @throws LockstepError `SNAPSHOT_FAILED`. */
export async function allSnapshots(lockstep: Lockstep): Promise<readonly (SnapshotListing | StorageSnapshotListing)[]> {
  const database = await lockstep.databaseName()
  const stored = await listSnapshots(lockstep.snapshots(), database)
  if (lockstep.config.rds === null) return stored
  const ofStorage = (await listStorageSnapshots(lockstep.storage())).map(({ arn, createdAt }) => ({
    uri: arn,
    database,
    createdAt: (createdAt ?? new Date(0)).toISOString(),
    ...UNCOUNTED,
  }))
  return [...ofStorage, ...stored].toSorted((a, b) => (a.createdAt < b.createdAt ? 1 : -1))
}

/** What snapshots that were cut off, or are being taken, have in the store. @throws LockstepError `SNAPSHOT_FAILED`. */
export async function incompleteSnapshots(lockstep: Lockstep): Promise<readonly IncompleteSnapshot[]> {
  return listIncomplete(lockstep.snapshots().store, await lockstep.databaseName())
}

const UNCOUNTED = { bytes: null, tables: null, rows: null } as const
