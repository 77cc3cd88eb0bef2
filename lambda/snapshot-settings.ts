import { DEFAULT_WORKERS } from './snapshot/default-workers.ts'
import type { SnapshotMode } from './contract.ts'
import type { SnapshotSetting } from './engine/plan/plan-hash.ts'
import type { SnapshotScopeSetting } from './snapshot/scope.ts'

/** What a run's snapshot holds, how it is taken, and how long snapshots are kept. */
export interface SnapshotSettings {
  readonly snapshotScope: SnapshotScopeSetting
  /** Patterns of tables whose rows are left out: `schema.table`, with `*` for anything. */
  readonly snapshotExclude: readonly string[]
  /** How many sessions copy tables at the same time. */
  readonly snapshotWorkers: number
  /** So many of the newest complete snapshots of the database are kept, however old they are. Null: the newest. */
  readonly snapshotKeepLast: number | null
  /**
   * Others are kept for so many days. Null: not at all, when `snapshotKeepLast` is given. When neither is given, nothing
   * is deleted.
   */
  readonly snapshotKeepDays: number | null
}

export const MAX_SNAPSHOT_WORKERS = 32

/** Items of a distributed copy that are copied at the same time: each takes a connection of the server. */
export const DISTRIBUTED_WORKERS = 64

/** What holds when nothing is set. */
export const DEFAULT_SNAPSHOT_SETTINGS: SnapshotSettings = {
  snapshotScope: { kind: 'database' },
  snapshotExclude: [],
  snapshotWorkers: DEFAULT_WORKERS,
  snapshotKeepLast: null,
  snapshotKeepDays: null,
}

/** What a plan says of the snapshot before its run: the same for the same settings, in whatever order they are given. */
export function snapshotSetting({
  snapshotMode: mode,
  snapshotScope: scope,
  snapshotExclude,
}: Pick<SnapshotSettings, 'snapshotScope' | 'snapshotExclude'> & {
  readonly snapshotMode: SnapshotMode
}): SnapshotSetting {
  if (mode !== 'logical') return { mode, rows: null }
  const chosen = scope.kind === 'schemas' ? `schemas:${scope.schemas.toSorted().join(',')}` : scope.kind
  const without = snapshotExclude.length === 0 ? '' : ` without ${snapshotExclude.toSorted().join(',')}`
  return { mode, rows: `${chosen}${without}` }
}
