import { engineContext } from './actions.ts'
import type { Continuation, CustomResourceEvent } from './custom-resource-event.ts'
import { answerDelete } from './deletion.ts'
import { applyDeployment, mayTakeBack, type DeploymentData } from './deployment.ts'
import { status } from './engine/inspect.ts'
import { errorOf, LockstepError, UNTOUCHED } from './errors.ts'
import type { Lockstep } from './lockstep.ts'
import { meetRequirement, requirementOf } from './requirement.ts'

/** What the Provider framework takes. To fail, throw: it ignores a status. */
export interface CustomResourceResponse {
  readonly PhysicalResourceId: string
  readonly Data?: DeploymentData
  /** Present where a run may take more than one invocation. */
  readonly Continuation?: Continuation
}

/** What the Provider framework takes from a call of `isComplete`. With false it calls again, with the same event. */
export interface CompletionResponse {
  readonly IsComplete: boolean
  readonly Data?: DeploymentData
}

/**
 * Answers CloudFormation: Create and Update bring the database to where the deployment is, or check a requirement.
 *
 * @throws LockstepError, which fails the deployment and rolls it back
 */
export async function onEvent(lockstep: Lockstep, event: CustomResourceEvent): Promise<CustomResourceResponse> {
  const answer = await answerEvent(lockstep, event)
  const { deadline } = lockstep
  const complete = answer.Data !== undefined || event.RequestType === 'Delete'
  return deadline === null ? answer : { ...answer, Continuation: { complete, deadline } }
}

/**
 * Goes on with the run that {@link onEvent} began and its invocation had no time for.
 *
 * @throws LockstepError, which fails the deployment and rolls it back
 */
export async function isComplete(
  lockstep: Lockstep,
  event: CustomResourceEvent,
  { complete }: Continuation,
): Promise<CompletionResponse> {
  if (complete) return { IsComplete: true }
  try {
    const data = await applyDeployment(lockstep, event)
    return data === null ? { IsComplete: false } : { IsComplete: true, Data: data }
  } catch (error) {
    throw ofContinuedRun(error)
  }
}

/** What this invocation has not touched, the ones before it may have. */
function ofContinuedRun(error: unknown): unknown {
  if (!(error instanceof LockstepError) || error.report.state !== UNTOUCHED) return error
  const state = 'This invocation has not touched the database; what the run committed before is in the history.'
  return errorOf({ ...error.report, state })
}

async function answerEvent(lockstep: Lockstep, event: CustomResourceEvent): Promise<CustomResourceResponse> {
  const requirement = requirementOf(event.ResourceProperties)
  // Constant: a changed id would make CloudFormation send a Delete for the old one.
  const id = `lockstep:${lockstep.config.set}${requirement === null ? '' : ':requirement'}`
  if (event.RequestType === 'Delete') {
    if (requirement === null) await answerDelete(lockstep, event)
    return { PhysicalResourceId: event.PhysicalResourceId ?? id }
  }
  if (requirement !== null) return { PhysicalResourceId: id, Data: await meetRequirement(lockstep, requirement, event) }
  const data = lockstep.config.autoApply
    ? await applyDeployment(lockstep, event)
    : await withoutApplying(lockstep, event)
  return data === null ? { PhysicalResourceId: id } : { PhysicalResourceId: id, Data: data }
}

/** Takes back what a rollback is to take back; where that is nothing, says what is pending. */
async function withoutApplying(lockstep: Lockstep, event: CustomResourceEvent): Promise<DeploymentData | null> {
  if (!(await mayTakeBack(lockstep, event))) return report(lockstep)
  const data = await applyDeployment(lockstep, event)
  const isIdle = data?.['Status'] === 'succeeded' && data['Reverted'] === '0'
  return isIdle ? { ...data, ...(await report(lockstep)) } : data
}

/** With automatic application switched off, a deployment only says what is pending. */
async function report(lockstep: Lockstep): Promise<DeploymentData> {
  const found = await status(engineContext(lockstep), lockstep.readMigrations())
  lockstep.log.warn('automatic application is off; nothing was applied', { pending: found.pending })
  return { Status: 'pending', Current: found.current ?? '', Pending: String(found.pending.length) }
}
