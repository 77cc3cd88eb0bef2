import { isDeepStrictEqual } from 'node:util'
import type { Touched } from './changes.ts'
import type { Effects } from './effects.ts'
import { inParallel } from './in-parallel.ts'
import type { Change, DesiredResource, ResourceState, StackResources } from './resource.ts'
import type { FailureRule } from './schedule.ts'
import { dependencyGraph, type Template } from './template.ts'

export interface OperationResult {
  readonly touched: readonly Touched[]
  /** Why the operation stopped; undefined when all resources stand as wanted. */
  readonly failure: string | undefined
}

export interface Application {
  readonly standing: StackResources
  readonly effects: Effects
  /** A resource as it is wanted, once all that it refers to stands. */
  readonly desired: (logicalId: string) => DesiredResource
  readonly rule: FailureRule
  /** Aborted by whoever stops the operation, which may be the first resource that fails. */
  readonly stop: AbortController
}

/** Makes what is new and changes what differs, each as soon as all that it depends on stands. */
export async function applyTemplate(template: Template, application: Application): Promise<OperationResult> {
  const { rule, stop } = application
  const touched: Touched[] = []
  const failures: string[] = []
  const apply = async (logicalId: string): Promise<boolean> => {
    const applied = await applyResource(logicalId, application)
    if (applied.touched !== undefined) touched.push(applied.touched)
    if (applied.failure === undefined) return true
    // What is stopped fails too, but it is not the reason.
    if (!applied.cancelled) failures.push(`${logicalId}: ${applied.failure}`)
    return false
  }
  await inParallel(dependencyGraph(template), apply, { rule, stop })
  if (failures.length > 0) return { touched, failure: failures.join('; ') }
  return { touched, failure: stop.signal.aborted ? messageOf(stop.signal.reason) : undefined }
}

/** What a person reads of an error. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

interface Applied {
  readonly touched?: Touched
  readonly failure?: string
  readonly cancelled?: boolean
}

async function applyResource(logicalId: string, { standing, effects, desired, stop }: Application): Promise<Applied> {
  const current = standing.get(logicalId)
  const wanted = attempt(() => desired(logicalId))
  if (wanted instanceof Error) return { failure: wanted.message }
  if (current?.failed === undefined && current !== undefined && isUnchanged(current, wanted)) return {}
  const cleared = current?.failed === 'create' ? await effects.remove(current) : undefined
  if (cleared?.ok === false) return { failure: cleared.reason, cancelled: cleared.cancelled === true }
  const before = current?.failed === 'create' ? undefined : current
  if (before === undefined) standing.delete(logicalId)
  if (stop.signal.aborted) return { failure: 'Stopped', cancelled: true }
  const change = before === undefined ? await effects.create(wanted) : await effects.update(wanted, before)
  const after = stateAfter(wanted, change, before)
  const stands = change.ok ? after : failedState(before, after)
  if (stands !== undefined) standing.set(logicalId, stands)
  const touched = { logicalId, before, after, superseded: [] }
  if (change.ok) return { touched }
  const failed = { failure: change.reason, cancelled: change.cancelled === true }
  return change.refused === true ? failed : { ...failed, touched }
}

/** A value that an answer lacks is only found missing when it is asked for: that fails the resource which asks. */
function attempt(resolve: () => DesiredResource): DesiredResource | Error {
  try {
    return resolve()
  } catch (error) {
    return new Error(messageOf(error))
  }
}

function isUnchanged(before: ResourceState, desired: DesiredResource): boolean {
  return isDeepStrictEqual(before.properties, desired.properties)
}

function stateAfter(
  desired: DesiredResource,
  change: Change,
  before: ResourceState | undefined,
): ResourceState | undefined {
  const wanted = { ...desired, kind: before?.kind ?? desired.kind }
  if (change.ok) {
    const { physicalId, attributes, noEcho = false } = change
    return { ...wanted, physicalId, attributes, noEcho }
  }
  const physicalId = change.physicalId ?? before?.physicalId
  return physicalId === undefined ? undefined : { ...wanted, physicalId, attributes: before?.attributes ?? {} }
}

/** CloudFormation goes on from the last stable state, or from nothing. */
function failedState(before: ResourceState | undefined, after: ResourceState | undefined): ResourceState | undefined {
  if (before !== undefined) return { ...before, failed: 'update' }
  return after === undefined ? undefined : { ...after, failed: 'create' }
}
