import type { SnapshotScopeSetting } from './snapshot/scope.ts'

/** What a run's snapshot holds, how it is taken, and how long snapshots are kept. */
export interface SnapshotSettings {
  readonly snapshotScope: SnapshotScopeSetting
  /** Patterns of tables whose rows are left out: `schema.table`, with `*` for anything. */
  readonly snapshotExclude: readonly string[]
  /** How many sessions copy tables at the same time. */
  readonly snapshotWorkers: number
  /** This many complete snapshots of the database are kept, however old they are. Null: nothing is deleted by number. */
  readonly snapshotKeepLast: number | null
  /** Days after which a snapshot is deleted once a newer one is complete. Null: age alone deletes nothing. */
  readonly snapshotKeepDays: number | null
}

export const MAX_SNAPSHOT_WORKERS = 32

/** What holds when nothing is set. */
export const DEFAULT_SNAPSHOT_SETTINGS: SnapshotSettings = {
  snapshotScope: { kind: 'database' },
  snapshotExclude: [],
  snapshotWorkers: 4,
  snapshotKeepLast: null,
  snapshotKeepDays: null,
}
