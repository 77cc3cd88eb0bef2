import type { TakeSnapshot } from './engine/run/ongoing-run.ts'
import { isPause } from './engine/run/pause.ts'
import type { Step } from './engine/plan/step.ts'
import { UNTOUCHED } from './errors.ts'
import type { Lockstep } from './lockstep.ts'
import type { SnapshotResult } from './contract.ts'
import { selectionFor, tellSelection } from './run-snapshot-scope.ts'
import { pruneSnapshots } from './prune-snapshots.ts'
import { withinTime } from './snapshot-time.ts'
import { toLockstepError } from './snapshot/failure.ts'
import { createSnapshot } from './snapshot/snapshot.ts'
import { takeStorageSnapshot } from './snapshot/storage-snapshot.ts'
import { storageSnapshotNow, type StorageSnapshotResult } from './storage-snapshots.ts'
import { takeDistributedSnapshot } from './snapshot/distributed/distributed-snapshot.ts'
import type { SnapshotScope, SnapshotSelection } from './snapshot/scope.ts'

/** How the runs of a composition take their snapshot. Null: they take none. */
export function snapshotFor(lockstep: Lockstep): TakeSnapshot | null {
  const { snapshotMode } = lockstep.config
  switch (snapshotMode) {
    case 'none':
      return null
    case 'logical':
      return async (runId, steps) => {
        try {
          return await takeLogical(lockstep, runId, steps)
        } catch (error) {
          if (isPause(error)) throw error
          const boundary = { code: 'SNAPSHOT_FAILED', subject: 'The snapshot', state: UNTOUCHED } as const
          throw toLockstepError(error, { ...boundary, signal: lockstep.signal })
        }
      }
    case 'rds':
      return async (runId) => (await takeStorageSnapshot(lockstep.storage(), runId)).arn
    default:
      return snapshotMode satisfies never
  }
}

async function takeLogical(lockstep: Lockstep, runId: string, steps: readonly Step[]): Promise<string> {
  const found = await selectionFor(lockstep, steps)
  tellSelection(lockstep, found)
  const { selection } = found
  const { uri } =
    (await takeDistributed(lockstep, runId, selection)) ??
    (await createSnapshot(await withinTime(lockstep, found), { runId, selection }))
  await pruneSnapshots(lockstep, uri)
  return uri
}

/** What a person asks of a snapshot that belongs to no run. */
export interface ManualSnapshot {
  /** @default the configured one; the whole database where that is what a run affects */
  readonly scope?: Exclude<SnapshotScope, { readonly kind: 'affected' }>
  /** @default the configured ones */
  readonly exclude?: readonly string[]
}

/**
 * Takes a snapshot that no run comes after: of the storage where that is configured and no rows are chosen.
 *
 * @throws LockstepError `SNAPSHOT_FAILED`, `DATABASE_UNREACHABLE`, `CONFIG_INVALID`.
 */
export async function takeManualSnapshot(
  lockstep: Lockstep,
  runId: string,
  { scope, exclude }: ManualSnapshot,
): Promise<SnapshotResult | StorageSnapshotResult> {
  if (lockstep.config.snapshotMode === 'rds' && scope === undefined && exclude === undefined) {
    return storageSnapshotNow(lockstep, runId)
  }
  const { snapshotScope, snapshotExclude, historySchema } = lockstep.config
  // Without a run nothing is affected.
  const configured = snapshotScope.kind === 'affected' ? ({ kind: 'database' } as const) : snapshotScope
  const selection = { scope: scope ?? configured, exclude: exclude ?? snapshotExclude, historySchema }
  const snapshot =
    (await takeDistributed(lockstep, runId, selection)) ??
    (await createSnapshot(lockstep.snapshots(), { runId, selection }))
  await pruneSnapshots(lockstep, snapshot.uri)
  return snapshot
}

/** Null where one process copies. */
async function takeDistributed(
  lockstep: Lockstep,
  runId: string,
  selection: SnapshotSelection,
): Promise<SnapshotResult | null> {
  const { executions, clock, remainingMs, shouldPause } = lockstep
  if (executions === null) return null
  const time = { clock, remainingMs, shouldPause }
  return takeDistributedSnapshot({ ...lockstep.snapshots(), ...time, executions }, { runId, selection })
}
