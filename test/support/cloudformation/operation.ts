import { isDeepStrictEqual } from 'node:util'
import type { Touched } from './changes.ts'
import type { Scope } from './intrinsics.ts'
import type { Change, DesiredResource, ResourceState, StackResources } from './resource.ts'
import { activeResources, type Resources } from './resources.ts'
import { dependencyOrder, type Template } from './template.ts'

export interface OperationResult {
  readonly touched: readonly Touched[]
  /** Why the operation stopped; undefined when all resources stand as wanted. */
  readonly failure: string | undefined
}

/** Makes what is new and changes what differs, each after what it depends on, until one fails or `signal` says stop. */
export async function applyTemplate(
  template: Template,
  standing: StackResources,
  scope: Scope,
  resources: Resources,
  signal: AbortSignal,
): Promise<OperationResult> {
  const touched: Touched[] = []
  const active = { ...template, Resources: activeResources(template, scope) }
  for (const logicalId of dependencyOrder(active)) {
    if (active.Resources[logicalId] === undefined) continue
    const desired = resources.desired(logicalId, active, scope)
    const { touched: one, failure } = signal.aborted
      ? { touched: [], failure: 'cancelled' }
      : await applyResource(desired, standing, resources)
    touched.push(...one)
    // What is stopped fails too, but it is not the reason.
    if (failure !== undefined)
      return { touched, failure: signal.aborted ? reasonOf(signal) : `${logicalId}: ${failure}` }
  }
  return { touched, failure: undefined }
}

/** What an operation stopped by `signal` failed of. */
export function reasonOf(signal: AbortSignal): string {
  return signal.reason instanceof Error ? signal.reason.message : String(signal.reason)
}

async function applyResource(
  desired: DesiredResource,
  standing: StackResources,
  resources: Resources,
): Promise<OperationResult> {
  const { logicalId } = desired
  const current = standing.get(logicalId)
  if (current?.failed === undefined && current !== undefined && isUnchanged(current, desired)) {
    return { touched: [], failure: undefined }
  }
  const handler = resources.handlerOf(current ?? desired)
  const cleared = current?.failed === 'create' ? await handler.remove(current) : undefined
  if (cleared?.ok === false) return { touched: [], failure: cleared.reason }
  const before = current?.failed === 'create' ? undefined : current
  if (before === undefined) standing.delete(logicalId)
  const change = before === undefined ? await handler.create(desired) : await handler.update(desired, before)
  const after = stateAfter(desired, change, before)
  const stands = change.ok ? after : failedState(before, after)
  if (stands !== undefined) standing.set(logicalId, stands)
  if (change.ok) return { touched: [{ logicalId, before, after, superseded: [] }], failure: undefined }
  const touched = change.refused === true ? [] : [{ logicalId, before, after, superseded: [] }]
  return { touched, failure: change.reason }
}

function isUnchanged(before: ResourceState, desired: DesiredResource): boolean {
  return isDeepStrictEqual(before.properties, desired.properties)
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

/** CloudFormation goes on from the last stable state, or from nothing. */
function failedState(before: ResourceState | undefined, after: ResourceState | undefined): ResourceState | undefined {
  if (before !== undefined) return { ...before, failed: 'update' }
  return after === undefined ? undefined : { ...after, failed: 'create' }
}

/** "You can't change the type during an update": crpg-ref-requesttypes-update.html. The message is CloudFormation's. */
export function refuseChangedTypes(template: Template, standing: StackResources): void {
  const changed = [...standing.values()].filter(({ logicalId, type }) => {
    const wanted = template.Resources[logicalId]?.Type
    return wanted !== undefined && wanted !== type
  })
  if (changed.length === 0) return
  const ids = changed.map(({ logicalId }) => logicalId).join(', ')
  throw new Error(
    `Update of resource type is not permitted. The new template modifies resource type of the following resources: [${ids}]`,
  )
}
