import type { ResourceState } from './resource.ts'

/** One resource that a stack changed, or tried to, since it was last whole. */
export interface Touched {
  readonly logicalId: string
  /** As it stood when the stack was last whole; undefined when it did not exist. */
  readonly before: ResourceState | undefined
  /** As it is now; undefined when the change failed in such a way that nothing stands. */
  readonly after: ResourceState | undefined
  /** Made since, and replaced again: deleted whether the stack goes on or back. */
  readonly superseded: readonly ResourceState[]
}

/** True when the resource was made since, be it in place of an older one. */
export function isMade({ before, after }: Touched): boolean {
  return after !== undefined && before?.physicalId !== after.physicalId
}

/** What must be deleted when the stack goes back. */
export function madeBy(touched: readonly Touched[]): readonly ResourceState[] {
  return touched.flatMap((one) => [...one.superseded, ...(isMade(one) ? [one.after ?? []].flat() : [])])
}

/** What must be deleted when the stack goes on. */
export function replacedBy(touched: readonly Touched[]): readonly ResourceState[] {
  return touched.flatMap((one) => [...one.superseded, ...(isMade(one) ? [one.before ?? []].flat() : [])])
}

/** The changes of two operations, the first of which was not rolled back, as if they were of one. */
export function merged(earlier: readonly Touched[], later: readonly Touched[]): readonly Touched[] {
  const byId = new Map(earlier.map((one) => [one.logicalId, one]))
  for (const next of later) {
    const first = byId.get(next.logicalId)
    byId.set(next.logicalId, first === undefined ? next : combined(first, next))
  }
  return [...byId.values()]
}

function combined(first: Touched, next: Touched): Touched {
  const made = isMade(first) ? first.after : undefined
  // A resource whose creation failed is deleted before it is made again, so nothing of it is left.
  const isLeft = made !== undefined && next.before !== undefined && made.physicalId !== next.after?.physicalId
  return {
    logicalId: first.logicalId,
    before: first.before,
    after: next.after,
    superseded: [...first.superseded, ...next.superseded, ...(isLeft ? [made] : [])],
  }
}
