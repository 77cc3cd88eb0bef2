import { isMade, type Touched } from './changes.ts'
import type { StackResources } from './resource.ts'
import type { Resources } from './resources.ts'
import { ordered } from './template.ts'

/** What a rollback could not do yet. */
export interface RollbackResult {
  readonly remaining: readonly Touched[]
  readonly failure: string | undefined
}

/**
 * Takes changes back: every resource that was changed gets its old properties, each after what it depended on, so a
 * function has its old code before a custom resource behind it is called. What was made is left to the clean-up.
 */
export async function restoreAll(
  touched: readonly Touched[],
  standing: StackResources,
  resources: Resources,
): Promise<RollbackResult> {
  const changed = inOrder(touched)
  for (const [index, entry] of changed.entries()) {
    const failure = await restore(entry, standing, resources)
    if (failure !== undefined) {
      const left = new Set(changed.slice(index))
      return { remaining: touched.filter((one) => left.has(one) || isMade(one) || one.superseded.length > 0), failure }
    }
  }
  return { remaining: [], failure: undefined }
}

/**
 * The reason of the failure, if it fails. A replacement is not updated back: the old one still stands, and the new one
 * is deleted in the clean-up. That goes for a failed update too whose answer holds another physical id: aws-cdk issues
 * 17040 and 30012.
 */
export async function restore(
  entry: Touched,
  standing: StackResources,
  resources: Resources,
): Promise<string | undefined> {
  const { logicalId, before, after } = entry
  if (before === undefined) return undefined
  if (isMade(entry)) {
    standing.set(logicalId, before)
    return undefined
  }
  const change = await resources.handlerOf(before).update(before, after ?? before)
  if (!change.ok) return `${logicalId}: ${change.reason}`
  standing.set(logicalId, { ...before, attributes: change.attributes })
  return undefined
}

function inOrder(touched: readonly Touched[]): readonly Touched[] {
  const changed = new Map(touched.flatMap((one) => (one.before === undefined ? [] : [[one.logicalId, one] as const])))
  const order = ordered([...changed.keys()], (id) => changed.get(id)?.before?.dependsOn ?? new Set())
  return order.flatMap((id) => changed.get(id) ?? [])
}
