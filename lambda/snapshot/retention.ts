/** The folder of a snapshot in the store, with what is in it. */
export interface StoredSnapshot {
  /** `<database>/<time>-<run>`. */
  readonly prefix: string
  readonly takenAt: Date
  /** It has a manifest. */
  readonly isComplete: boolean
  readonly keys: readonly string[]
}

export interface RetentionRule {
  /** So many of the newest are kept, however old they are. Null: one. */
  readonly keepLast: number | null
  /** Others are kept for so many days. Null: not at all. */
  readonly keepDays: number | null
}

const DAY_MS = 86_400_000
/** Whatever has no manifest by then was left behind by a process that died. */
const ABANDONED_MS = 2 * DAY_MS
const MANIFEST = 'manifest.json'

/** The snapshots that the keys belong to, newest first. Keys that are not of a snapshot are left out. Pure. */
export function snapshotsAmong(keys: readonly string[]): readonly StoredSnapshot[] {
  const named = keys.flatMap((key) => {
    const [, prefix, ...time] = /^([^/]+\/(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-[^/]+)\/./.exec(key) ?? []
    if (prefix === undefined) return []
    const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = time.map(Number)
    return [{ key, prefix, takenAt: new Date(Date.UTC(year, month - 1, day, hour, minute, second)) }]
  })
  return [...Map.groupBy(named, ({ prefix }) => prefix)]
    .map(([prefix, entries]): StoredSnapshot => {
      const own = entries.map(({ key }) => key)
      const takenAt = entries[0]?.takenAt ?? new Date(0)
      return { prefix, takenAt, isComplete: own.includes(`${prefix}/${MANIFEST}`), keys: own }
    })
    .toSorted((a, b) => b.takenAt.getTime() - a.takenAt.getTime() || (a.prefix < b.prefix ? 1 : -1))
}

/**
 * Which snapshots of one database are to be deleted. Never one of the newest complete ones, nor one that is needed;
 * what a process that died has left goes after two days. Pure.
 *
 * @param snapshots - newest first
 * @param needed - prefixes of those that must stay
 */
export function expired(
  snapshots: readonly StoredSnapshot[],
  { keepLast, keepDays }: RetentionRule,
  needed: ReadonlySet<string>,
  now: Date,
): readonly StoredSnapshot[] {
  const age = ({ takenAt }: StoredSnapshot): number => now.getTime() - takenAt.getTime()
  const newest = snapshots.filter(({ isComplete }) => isComplete).slice(0, keepLast ?? 1)
  const kept = new Set([...newest.map(({ prefix }) => prefix), ...needed])
  const longest = (keepDays ?? 0) * DAY_MS
  return snapshots.filter((snapshot) => {
    if (kept.has(snapshot.prefix)) return false
    return age(snapshot) > (snapshot.isComplete ? longest : Math.max(longest, ABANDONED_MS))
  })
}

/** What to remove of a snapshot, in order: it stops to be one before anything that it promises goes. Pure. */
export function removalOf({ prefix, keys }: StoredSnapshot): readonly (readonly string[])[] {
  const manifest = `${prefix}/${MANIFEST}`
  return [keys.filter((key) => key === manifest), keys.filter((key) => key !== manifest)].filter(
    (batch) => batch.length > 0,
  )
}
