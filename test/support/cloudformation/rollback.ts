import { isMade, removeAll, type StackResources, type Touched } from './operation.ts'
import type { Resources } from './resources.ts'
import { dependencyOrder, type Template } from './template.ts'

/** What a rollback could not do yet. */
export interface RollbackResult {
  readonly remaining: readonly Touched[]
  readonly failure: string | undefined
}

/**
 * Undoes a failed update: every resource that it touched goes back to its old properties, in the order of the old
 * template, so a function has its old code before a custom resource behind it is called. What the update made is
 * deleted at the end.
 */
export async function rollBackUpdate(
  touched: readonly Touched[],
  templates: { readonly old: Template; readonly failed: Template },
  standing: StackResources,
  resources: Resources,
): Promise<RollbackResult> {
  const changed = inOrder(touched, dependencyOrder(templates.old))
  for (const [index, entry] of changed.entries()) {
    const failure = await restore(entry, standing, resources)
    if (failure !== undefined) {
      const left = new Set(changed.slice(index))
      return { remaining: touched.filter((one) => left.has(one) || isMade(one)), failure }
    }
  }
  const made = touched.filter(isMade).flatMap(({ after }) => after ?? [])
  for (const { logicalId, before } of touched) if (before === undefined) standing.delete(logicalId)
  await removeAll(made, templates.failed, resources)
  return { remaining: [], failure: undefined }
}

/** The reason of the failure, if it fails. */
async function restore(entry: Touched, standing: StackResources, resources: Resources): Promise<string | undefined> {
  const { logicalId, before, after } = entry
  if (before === undefined) return undefined
  if (isMade(entry)) {
    // The old one still stands: a replaced resource is deleted only when all else has succeeded.
    standing.set(logicalId, before)
    return undefined
  }
  const change = await resources.handlerOf(before).update(before, after ?? before)
  if (!change.ok) return `${logicalId}: ${change.reason}`
  standing.set(logicalId, { ...before, attributes: change.attributes })
  return undefined
}

function inOrder(touched: readonly Touched[], order: readonly string[]): readonly Touched[] {
  return touched
    .filter(({ before }) => before !== undefined)
    .toSorted((left, right) => order.indexOf(left.logicalId) - order.indexOf(right.logicalId))
}
