import type { WorkContext } from './copy-item.ts'
import { numbersIn, readJson, workKeys, writeJson, type WorkList } from './work-list.ts'

/**
 * Ends the copy when every item is done, also those that were left to who holds the view; nobody need hold it any more.
 *
 * @returns whether it has ended
 */
export async function endCopy({ store, prefix }: WorkContext): Promise<boolean> {
  const keys = workKeys(prefix)
  const { items } = await readJson<WorkList>(store, keys.list)
  const done = await numbersIn(store, keys.results)
  if (items.some((_, item) => !done.has(item))) return false
  await writeJson(store, keys.end, { done: true })
  return true
}

/** Ends a copy that has failed: those who hold the view stop. */
export async function giveUpCopy({ store, prefix }: WorkContext): Promise<void> {
  await writeJson(store, workKeys(prefix).end, { done: false })
}
