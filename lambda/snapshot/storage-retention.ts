import type { StorageSnapshot } from './storage-service.ts'

/** Whose snapshots these are: one set of migrations of one stack. */
export interface StorageOwner {
  /** Begins the ids of its snapshots. */
  readonly prefix: string
  readonly set: string
  readonly stack: string
}

/** Tags of RDS take letters, digits, spaces and `_.:/=+-@`. */
const TAGS = { set: 'lockstep:set', stack: 'lockstep:stack', run: 'lockstep:run' } as const

/** What tells a run's snapshot from everybody else's. */
export function tagsOf({ set, stack }: StorageOwner, runId: string): StorageSnapshot['tags'] {
  return { [TAGS.set]: set, [TAGS.stack]: stack, [TAGS.run]: runId }
}

/** The id of a run's snapshot: the same for every delivery of its request. */
export function storageSnapshotId({ prefix }: StorageOwner, runId: string): string {
  return `${prefix}${runId.toLowerCase().replaceAll(/[^a-z0-9]/g, '')}`
}

/** Whether this set of this stack has taken it: by its id, and by the tags that it was given. */
export function isOwn({ id, tags }: StorageSnapshot, { prefix, set, stack }: StorageOwner): boolean {
  return id.startsWith(prefix) && tags[TAGS.set] === set && tags[TAGS.stack] === stack && tags[TAGS.run] !== undefined
}

/** Own snapshots that can be restored, newest first. */
export function ownAvailable(snapshots: readonly StorageSnapshot[], owner: StorageOwner): readonly StorageSnapshot[] {
  return snapshots
    .filter((snapshot) => isOwn(snapshot, owner) && snapshot.status === 'available')
    .toSorted((a, b) => (b.createdAt?.getTime() ?? 0) - (a.createdAt?.getTime() ?? 0))
}

/** Own snapshots to delete: beyond the newest `keepLast`, and those that came to nothing. */
export function outdated(
  snapshots: readonly StorageSnapshot[],
  owner: StorageOwner,
  keepLast: number,
): readonly StorageSnapshot[] {
  const failed = snapshots.filter((snapshot) => isOwn(snapshot, owner) && snapshot.status === 'failed')
  return [...ownAvailable(snapshots, owner).slice(keepLast), ...failed]
}
