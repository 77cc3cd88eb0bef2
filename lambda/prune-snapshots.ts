import { openSnapshots } from './engine/open-snapshots.ts'
import { messageOf } from './errors.ts'
import type { Lockstep } from './lockstep.ts'
import { expired, removalOf, snapshotsAmong } from './snapshot/retention.ts'
import { prefixOf } from './snapshot/snapshot-uri.ts'

/** A run that began so long ago is not gone on with. Milliseconds. */
const LONGEST_RUN_MS = 86_400_000
/** Deleting is for when there is time. Milliseconds. */
const MARGIN_MS = 60_000

/**
 * Deletes what the configuration does not keep of the snapshots of this database, once a new one is complete. That it
 * does not succeed is a warning: the next snapshot tries again.
 *
 * @param taken - the URI of the new snapshot
 */
export async function pruneSnapshots(lockstep: Lockstep, taken: string): Promise<void> {
  const { snapshotKeepLast: keepLast, snapshotKeepDays: keepDays } = lockstep.config
  if (keepLast === null && keepDays === null) return
  if (lockstep.remainingMs() < MARGIN_MS) return
  try {
    const { store } = lockstep.snapshots()
    const prefix = prefixOf(store, taken)
    const snapshots = snapshotsAmong(await store.list(prefix.slice(0, prefix.indexOf('/') + 1)))
    const now = lockstep.clock.now()
    const needed = new Set([prefix, ...(await neededPrefixes(lockstep, now))])
    const old = expired(snapshots, { keepLast, keepDays }, needed, now)
    for (const snapshot of old) for (const batch of removalOf(snapshot)) await store.remove(batch)
    if (old.length > 0) lockstep.log.info('old snapshots deleted', { snapshots: old.map(({ prefix }) => prefix) })
  } catch (error) {
    lockstep.log.warn('old snapshots could not be deleted', { error: messageOf(error) })
  }
}

async function neededPrefixes(lockstep: Lockstep, now: Date): Promise<readonly string[]> {
  const { store } = lockstep.snapshots()
  const connection = await lockstep.connect()
  try {
    const since = new Date(now.getTime() - LONGEST_RUN_MS)
    const uris = await openSnapshots(connection, lockstep.config.historySchema, since)
    return uris.filter((uri) => uri.startsWith(`${store.uri}/`)).map((uri) => prefixOf(store, uri))
  } finally {
    await connection.close()
  }
}
