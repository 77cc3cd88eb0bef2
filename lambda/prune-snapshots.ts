import { openRuns } from './engine/history/open-runs.ts'
import { messageOf } from './errors.ts'
import type { Lockstep } from './lockstep.ts'
import { expired, removalOf, snapshotsAmong } from './snapshot/retention.ts'
import { isOfRun } from './snapshot/names.ts'
import { prefixOf } from './snapshot/snapshot-uri.ts'

/** A run that began so long ago is not gone on with. Milliseconds. */
const LONGEST_RUN_MS = 86_400_000
/** Deleting is for when there is time. Milliseconds. */
const MARGIN_MS = 60_000

/**
 * Deletes what the configuration does not keep of the snapshots of this database, once a new one is complete. That it
 * does not succeed is a warning: the next snapshot tries again.
 *
 * @param uri - of the new snapshot
 */
export async function pruneSnapshots(lockstep: Lockstep, uri: string): Promise<void> {
  const { snapshotKeepLast: keepLast, snapshotKeepDays: keepDays } = lockstep.config
  if (keepLast === null && keepDays === null) return
  if (lockstep.remainingMs() < MARGIN_MS) return
  try {
    const { store } = lockstep.snapshots()
    const prefix = prefixOf(store, uri)
    const snapshots = snapshotsAmong(await store.list(prefix.slice(0, prefix.indexOf('/') + 1)))
    const now = lockstep.clock.now()
    const taken = snapshots.map((snapshot) => snapshot.prefix)
    const needed = new Set([prefix, ...(await neededAmong(taken, lockstep, now))])
    const old = expired(snapshots, { keepLast, keepDays }, needed, now)
    for (const snapshot of old) for (const batch of removalOf(snapshot)) await store.remove(batch)
    if (old.length > 0) lockstep.log.info('old snapshots deleted', { snapshots: old.map(({ prefix }) => prefix) })
  } catch (error) {
    lockstep.log.warn('old snapshots could not be deleted', { error: messageOf(error) })
  }
}

/** Those of runs that have not ended, also when they are not recorded yet. */
async function neededAmong(prefixes: readonly string[], lockstep: Lockstep, now: Date): Promise<readonly string[]> {
  const { store } = lockstep.snapshots()
  const connection = await lockstep.connect()
  try {
    const runs = await openRuns(connection, lockstep.config.historySchema, new Date(now.getTime() - LONGEST_RUN_MS))
    const recorded = new Set(runs.map(({ snapshot }) => snapshot))
    return prefixes.filter(
      (prefix) => recorded.has(`${store.uri}/${prefix}`) || runs.some(({ runId }) => isOfRun(prefix, runId)),
    )
  } finally {
    await connection.close()
  }
}
