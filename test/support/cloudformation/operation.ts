import { isDeepStrictEqual } from 'node:util'
import type { Scope } from './intrinsics.ts'
import type { Change, DesiredResource, ResourceState } from './resource.ts'
import { activeResources, type Resources } from './resources.ts'
import { dependencyOrder, type Template } from './template.ts'

/** One resource that an operation changed, or tried to. */
export interface Touched {
  readonly logicalId: string
  /** Undefined when the operation made the resource. */
  readonly before: ResourceState | undefined
  /** Undefined when it failed in such a way that nothing stands. */
  readonly after: ResourceState | undefined
}

export interface OperationResult {
  readonly touched: readonly Touched[]
  /** Why the operation stopped; undefined when all resources stand as wanted. */
  readonly failure: string | undefined
}

/** True for what the operation made, be it in place of an older one. */
export function isMade({ before, after }: Touched): boolean {
  return after !== undefined && before?.physicalId !== after.physicalId
}

/** Resources as they stand, by logical id. The one thing about a stack that changes. */
export type StackResources = Map<string, ResourceState>

/** Makes what is new and changes what differs, each after what it depends on, until one fails. */
export async function applyTemplate(
  template: Template,
  standing: StackResources,
  scope: Scope,
  resources: Resources,
): Promise<OperationResult> {
  const touched: Touched[] = []
  const active = activeResources(template, scope)
  for (const logicalId of dependencyOrder({ ...template, Resources: active })) {
    const resource = active[logicalId]
    if (resource === undefined) continue
    const before = standing.get(logicalId)
    const desired = resources.desired(logicalId, resource, scope)
    if (before !== undefined && isUnchanged(before, desired)) continue
    const handler = resources.handlerOf(desired)
    const change = before === undefined ? await handler.create(desired) : await handler.update(desired, before)
    const after = stateAfter(desired, change, before)
    touched.push({ logicalId, before, after })
    if (after !== undefined) standing.set(logicalId, after)
    if (!change.ok) return { touched, failure: `${logicalId}: ${change.reason}` }
  }
  return { touched, failure: undefined }
}

/** Deletes resources, those that depend on others first. Gives the reasons of the deletions that failed. */
export async function removeAll(
  states: readonly ResourceState[],
  template: Template,
  resources: Resources,
): Promise<readonly string[]> {
  const failures: string[] = []
  const order = dependencyOrder(template)
  const rank = ({ logicalId }: ResourceState): number => order.indexOf(logicalId)
  for (const state of states.toSorted((left, right) => rank(right) - rank(left))) {
    if (template.Resources[state.logicalId]?.DeletionPolicy === 'Retain') continue
    const change = await resources.handlerOf(state).remove(state)
    if (!change.ok) failures.push(`${state.logicalId}: ${change.reason}`)
  }
  return failures
}

function isUnchanged(before: ResourceState, desired: DesiredResource): boolean {
  return before.type === desired.type && isDeepStrictEqual(before.properties, desired.properties)
}

function stateAfter(
  desired: DesiredResource,
  change: Change,
  before: ResourceState | undefined,
): ResourceState | undefined {
  if (change.ok) return { ...desired, physicalId: change.physicalId, attributes: change.attributes }
  const physicalId = change.physicalId ?? before?.physicalId
  return physicalId === undefined ? undefined : { ...desired, physicalId, attributes: before?.attributes ?? {} }
}
