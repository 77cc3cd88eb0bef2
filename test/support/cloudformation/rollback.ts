import { isMade, madeBy, type Touched } from './changes.ts'
import type { Effects } from './effects.ts'
import { inParallel } from './in-parallel.ts'
import type { ResourceState, StackResources } from './resource.ts'
import type { Graph } from './schedule.ts'

export interface Restoration {
  readonly standing: StackResources
  readonly effects: Effects
  /** Aborted by the first resource that cannot be restored. */
  readonly stop: AbortController
}

export interface RollbackResult {
  /** What is not restored yet, and what the operation made. */
  readonly remaining: readonly Touched[]
  /** What the clean-up is to delete, because what it took the place of stands again. */
  readonly doomed: readonly ResourceState[]
  /** Logical ids of what failed by itself: those may be skipped when the rollback is continued. */
  readonly failed: readonly string[]
  readonly failure: string | undefined
}

/**
 * Takes changes back: every resource that was changed gets its old properties, each after what it depended on, so a
 * function has its old code before a custom resource behind it is called. What was made is left to the clean-up.
 */
export async function restoreAll(touched: readonly Touched[], restoration: Restoration): Promise<RollbackResult> {
  const changed = new Map(touched.flatMap((one) => (one.before === undefined ? [] : [[one.logicalId, one] as const])))
  const restored = new Map<Touched, readonly ResourceState[]>()
  const failures = new Map<string, string>()
  const work = async (logicalId: string): Promise<boolean> => {
    const entry = changed.get(logicalId)
    if (entry === undefined) return true
    const { doomed, failure } = await restore(entry, restoration)
    if (doomed !== undefined) restored.set(entry, doomed)
    if (failure !== undefined) failures.set(logicalId, `${logicalId}: ${failure}`)
    return doomed !== undefined
  }
  await inParallel(oldGraph(changed), work, { rule: 'stop', stop: restoration.stop })
  return {
    remaining: touched.filter((one) => !restored.has(one)),
    doomed: [...restored.values()].flat(),
    failed: [...failures.keys()],
    failure: failures.size === 0 ? undefined : [...failures.values()].join('; '),
  }
}

interface Restored {
  /** What the clean-up is to delete; undefined when it is not restored. */
  readonly doomed?: readonly ResourceState[]
  /** Undefined where it was only stopped. */
  readonly failure?: string
}

/**
 * A replacement is not updated back: the old one still stands, and the new one is deleted in the clean-up. That goes for
 * a failed update too whose answer holds another physical id: aws-cdk issues 17040 and 30012.
 */
export async function restore(
  entry: Touched,
  { standing, effects }: Pick<Restoration, 'standing' | 'effects'>,
): Promise<Restored> {
  const { logicalId, before, after = before } = entry
  const doomed = madeBy([entry])
  if (before === undefined || after === undefined) return { doomed }
  if (isMade(entry)) {
    standing.set(logicalId, before)
    return { doomed }
  }
  const change = await effects.update(before, after)
  if (!change.ok) return change.cancelled === true ? {} : { failure: change.reason }
  const { physicalId, attributes, noEcho = false } = change
  standing.set(logicalId, { ...before, physicalId, attributes, noEcho })
  return { doomed: physicalId === after.physicalId ? doomed : [...doomed, after] }
}

function oldGraph(changed: ReadonlyMap<string, Touched>): Graph {
  return new Map([...changed].map(([id, { before }]) => [id, before?.dependsOn ?? new Set<string>()]))
}
