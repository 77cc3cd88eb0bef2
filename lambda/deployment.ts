import { engineContext, runRequest } from './actions.ts'
import type { MigrationResourceProperties, RunResult } from './contract.ts'
import type { CustomResourceEvent } from './custom-resource-event.ts'
import { deploy, undoCreation } from './engine/deploy.ts'
import { saysRollback } from './engine/rollback.ts'
import { errorOf, LockstepError, messageOf } from './errors.ts'
import { hasNothingToTakeBack, mayOverwrite, readIntent, writeIntent, type Intent } from './intent.ts'
import type { Lockstep } from './lockstep.ts'

/** What the custom resource answers with. CloudFormation takes texts only. */
export type DeploymentData = Readonly<Record<string, string>>

/**
 * Brings the database to where the event's properties are. Succeeds without the database when it takes back a
 * deployment that never touched it.
 *
 * @throws LockstepError, which fails the deployment
 */
export async function applyDeployment(lockstep: Lockstep, event: CustomResourceEvent): Promise<DeploymentData> {
  const intent = intentOf(event)
  const previousTarget =
    event.RequestType === 'Update' ? migrationProperties(event.OldResourceProperties).migrations : null
  await attempt(lockstep, intent)
  try {
    const result = await run(lockstep, event, intent, previousTarget)
    await conclude(lockstep, intent, previousTarget, result)
    if (result.error !== undefined) throw errorOf(result.error)
    return dataOf(result)
  } catch (error) {
    if (!isUnreachable(error) || previousTarget === null) throw error
    if (!(await isHarmless(lockstep, event, previousTarget))) throw error
    lockstep.log.warn('the database cannot be reached, but the deployment that is rolled back never touched it', {
      error: messageOf(error),
    })
    return { Status: 'unreachable', Current: '', Applied: '0', Reverted: '0', Snapshot: '', RunId: '' }
  }
}

function run(
  lockstep: Lockstep,
  event: CustomResourceEvent,
  intent: Intent,
  previousTarget: string | null,
): Promise<RunResult> {
  const { settings, heads } = migrationProperties(event.ResourceProperties)
  const request = runRequest(lockstep, event.RequestId)
  return deploy(engineContext(lockstep, 'deployment'), {
    ...request,
    takeSnapshot: async (runId) => {
      const snapshot = (await request.takeSnapshot?.(runId)) ?? null
      await announce(lockstep, intent)
      return snapshot
    },
    resource: intent.resource,
    target: intent.target,
    previousTarget,
    onRollback: lockstep.config.onRollback,
    stackStatus: () => lockstep.stackStatus(event.StackId),
    details: { requestType: event.RequestType, settings, heads },
  })
}

/**
 * A Delete never touches the database, with one exception: when CloudFormation itself says that the stack is rolling
 * back, what this resource's Create applied in the same operation is reverted. Never fails: that would strand the stack.
 */
export async function answerDelete(lockstep: Lockstep, event: CustomResourceEvent): Promise<void> {
  const { resource } = intentOf(event)
  const stackStatus = await lockstep.stackStatus(event.StackId)
  if (saysRollback(stackStatus) !== true) {
    lockstep.log.info('the resource is deleted; the database is kept as it is', { stackStatus })
    return
  }
  try {
    const result = await undoCreation(engineContext(lockstep, 'deployment'), {
      ...runRequest(lockstep, event.RequestId),
      resource,
      onRollback: lockstep.config.onRollback,
    })
    if (result.error !== undefined) throw errorOf(result.error)
    lockstep.log.info('the stack is rolling back; what its creation applied was reverted', {
      reverted: result.reverted,
    })
  } catch (error) {
    lockstep.log.error('the stack is rolling back, but what its creation applied could not be reverted', {
      error: messageOf(error),
    })
  }
}

function isUnreachable(error: unknown): boolean {
  return error instanceof LockstepError && ['DATABASE_UNREACHABLE', 'SECRET_UNREADABLE'].includes(error.code)
}

async function isHarmless(lockstep: Lockstep, event: CustomResourceEvent, previousTarget: string): Promise<boolean> {
  if (lockstep.config.snapshots === null) return false
  try {
    const failed = await readIntent(lockstep.snapshots().store, {
      resource: intentOf(event).resource,
      target: previousTarget,
    })
    return hasNothingToTakeBack(failed, await lockstep.stackStatus(event.StackId))
  } catch (error) {
    lockstep.log.warn('the record of the earlier deployment cannot be read', { error: messageOf(error) })
    return false
  }
}

function intentOf(event: CustomResourceEvent): Intent {
  return {
    version: 1,
    resource: `${event.StackId}/${event.LogicalResourceId}`,
    target: migrationProperties(event.ResourceProperties).migrations,
    requestId: event.RequestId,
    state: 'attempted',
    outcome: null,
    changed: null,
  }
}

/** A failure here is not the deployment's: {@link announce} comes before the first statement, and must succeed. */
async function attempt(lockstep: Lockstep, intent: Intent): Promise<void> {
  if (lockstep.config.snapshots === null) return
  const { store } = lockstep.snapshots()
  try {
    if (mayOverwrite(await readIntent(store, intent), intent.requestId)) await writeIntent(store, intent)
  } catch (error) {
    lockstep.log.warn('the attempt cannot be recorded', { error: messageOf(error) })
  }
}

async function announce(lockstep: Lockstep, intent: Intent): Promise<void> {
  if (lockstep.config.snapshots !== null)
    await writeIntent(lockstep.snapshots().store, { ...intent, state: 'announced' })
}

/** What was reverted is as if it had never been deployed. */
async function conclude(
  lockstep: Lockstep,
  intent: Intent,
  previousTarget: string | null,
  result: RunResult,
): Promise<void> {
  if (lockstep.config.snapshots === null) return
  const { store } = lockstep.snapshots()
  const changed = result.status === 'succeeded' ? result.applied.length > 0 : result.rolledBack !== true
  try {
    await writeIntent(store, { ...intent, state: 'concluded', outcome: result.status, changed })
    if (result.status === 'succeeded' && result.reverted.length > 0 && previousTarget !== null) {
      await writeIntent(store, {
        ...intent,
        target: previousTarget,
        state: 'concluded',
        outcome: 'failed',
        changed: false,
      })
    }
  } catch (error) {
    lockstep.log.warn('the end of the run cannot be recorded', { error: messageOf(error) })
  }
}

function dataOf(result: RunResult): DeploymentData {
  return {
    Status: result.status,
    Current: result.current ?? '',
    Applied: String(result.applied.length),
    Reverted: String(result.reverted.length),
    Snapshot: result.snapshot ?? '',
    RunId: result.runId ?? '',
  }
}

function migrationProperties(properties: Readonly<Record<string, unknown>> = {}): MigrationResourceProperties {
  const text = (name: keyof MigrationResourceProperties): string => {
    const value = properties[name]
    return typeof value === 'string' ? value : ''
  }
  return { set: text('set'), migrations: text('migrations'), settings: text('settings'), heads: text('heads') }
}
