import type { IncompleteSnapshot } from '../snapshot-contract.ts'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { MANIFEST_KEY } from './manifest.ts'
import { databaseSegment } from './names.ts'
import type { SnapshotStore } from './store.ts'

/** No snapshot takes longer. */
const ABANDONED_MS = 24 * 3_600_000

/** `<database>/<time>-<run>/…`, as `snapshotPrefix` makes it. */
const OBJECT = /^([^/]+\/(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z-[^/]+)\/(.+)$/

/** What is in a store of a snapshot that was never completed: it is being taken, or was cut off. */
interface Incomplete {
  readonly prefix: string
  readonly begunAt: Date
  readonly keys: readonly string[]
}

/** @param database Only those of this database. @default all */
export async function listIncomplete(store: SnapshotStore, database?: string): Promise<readonly IncompleteSnapshot[]> {
  const found = incompleteAmong(await store.list(database === undefined ? '' : `${databaseSegment(database)}/`))
  return found.map(({ prefix, begunAt, keys }) => ({
    uri: `${store.uri}/${prefix}`,
    begunAt: begunAt.toISOString(),
    objects: keys.length,
  }))
}

/** Removes what was cut off more than a day ago. What cannot be removed is told, and nothing more. */
export async function removeAbandoned(store: SnapshotStore, database: string, now: Date, log: Log): Promise<void> {
  try {
    const found = incompleteAmong(await store.list(`${databaseSegment(database)}/`))
    const abandoned = found.filter(({ begunAt }) => now.getTime() - begunAt.getTime() > ABANDONED_MS)
    for (const { prefix, keys } of abandoned) {
      await store.remove(keys)
      log.info('Removed what a snapshot that was cut off had left', { prefix, objects: keys.length })
    }
  } catch (error) {
    log.warn('Could not remove what snapshots that were cut off have left', { reason: messageOf(error) })
  }
}

/** Pure. @param keys - of a store, in any order */
export function incompleteAmong(keys: readonly string[]): readonly Incomplete[] {
  const byPrefix = Map.groupBy(keys, (key) => OBJECT.exec(key)?.[1] ?? null)
  return [...byPrefix].flatMap(([prefix, own]) => {
    if (prefix === null || own.includes(`${prefix}/${MANIFEST_KEY}`)) return []
    return [{ prefix, begunAt: begunAt(own[0] ?? ''), keys: own }]
  })
}

function begunAt(key: string): Date {
  const [, , year, month, day, hour, minute, second] = OBJECT.exec(key) ?? []
  return new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
}
