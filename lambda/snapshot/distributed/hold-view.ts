import type pg from 'pg'
import type { Clock } from '../../clock.ts'
import { copyTo, type WorkContext } from './copy-item.ts'
import { isThere, numbersIn, workKeys, type WorkList } from './work-list.ts'

/** What whoever holds the view works with. */
export interface HolderContext extends WorkContext {
  readonly clock: Clock
  /** Milliseconds until the process is ended from outside. */
  readonly remainingMs: () => number
}

/** @param now - milliseconds since 1970 */
interface Duties {
  /** Whether others hold the view from now on. */
  readonly mayLeave: (now: number) => Promise<boolean>
  /** Of the items that workers were refused, those to copy on this session, which has locked their tables. */
  readonly own: (refused: readonly number[], now: number) => Promise<readonly number[]>
}

/** Between two looks at what the others do; also what shows the server that the session is alive. Milliseconds. */
const INTERVAL_MS = 2000

/** Holds the view until the copy has ended (true), or others hold it (false). */
export async function holdView(
  context: HolderContext,
  client: pg.Client,
  list: WorkList,
  { mayLeave, own }: Duties,
): Promise<boolean> {
  const { clock, signal } = context
  for (;;) {
    await client.query('SELECT 1')
    if (await hasEnded(context)) return true
    const now = clock.now().getTime()
    if (await mayLeave(now)) return false
    const refused = await refusedItems(context)
    const [item] = refused.length === 0 ? [] : await own(refused, now)
    if (item === undefined) await clock.sleep(pause(context))
    else await copyTo(context, client, list, item)
    signal?.throwIfAborted()
  }
}

/** Which of the two that take turns copies an item: never both at once. */
export function ownerOf(item: number): 1 | 2 {
  return item % 2 === 1 ? 1 : 2
}

/** Those that nobody has copied since. */
async function refusedItems({ store, prefix }: HolderContext): Promise<readonly number[]> {
  const keys = workKeys(prefix)
  const refused = await numbersIn(store, keys.refused)
  if (refused.size === 0) return []
  const done = await numbersIn(store, keys.results)
  return [...refused].filter((item) => !done.has(item))
}

/** Also when all of it was removed, because the snapshot failed. */
export async function hasEnded({ store, prefix }: WorkContext): Promise<boolean> {
  const keys = workKeys(prefix)
  return (await isThere(store, keys.end)) || !(await isThere(store, keys.list))
}

/** How long to sleep between two looks: less where the whole invocation is short. */
export function pause({ remainingMs }: Pick<HolderContext, 'remainingMs'>): number {
  return Math.min(INTERVAL_MS, remainingMs() / 50)
}
