import { engineContext, runRequest } from './actions.ts'
import type { MigrationResourceProperties, RunResult } from './contract.ts'
import type { CustomResourceEvent } from './custom-resource-event.ts'
import { deploy } from './engine/deployment/deploy.ts'
import { saysRollback } from './engine/deployment/rollback.ts'
import { errorOf, LockstepError, messageOf, UNTOUCHED } from './errors.ts'
import { attemptOf, hasNothingToTakeBack, mayOverwrite, writeIntent, type Intent, type Transition } from './intent.ts'
import { knownIntent } from './known-intent.ts'
import type { Lockstep } from './lockstep.ts'
import { isOvertaken } from './overtaken.ts'

/** What the custom resource answers with. CloudFormation takes texts only. */
export type DeploymentData = Readonly<Record<string, string>>

/**
 * Brings the database to where the event's properties are. Succeeds without the database when it takes back a
 * deployment that never touched it. Null: the run is paused, and the same event continues it.
 *
 * @throws LockstepError, which fails the deployment
 */
export async function applyDeployment(lockstep: Lockstep, event: CustomResourceEvent): Promise<DeploymentData | null> {
  const transition = transitionOf(event)
  const intent = await attempt(lockstep, transition, event.RequestId)
  let begun = false
  try {
    const result = await run(lockstep, event, intent, () => void (begun = true))
    if (result.status === 'paused') return null
    await conclude(lockstep, intent, result)
    if (result.error !== undefined) throw errorOf(result.error)
    return dataOf(result)
  } catch (error) {
    const isBefore = isUntouched(error) || (!begun && !(error instanceof LockstepError))
    if (!isBefore || !(await isHarmless(lockstep, event, transition))) throw error
    // Must succeed: what stays "attempted" would make the next deployment look like a rollback.
    await record(lockstep, { ...intent, state: 'concluded', outcome: 'succeeded', changed: false })
    lockstep.log.warn('the database is not touched, and the deployment that is rolled back never touched it', {
      error: messageOf(error),
    })
    const status = isUnreachable(error) ? 'unreachable' : 'untouched'
    return { Status: status, Current: '', Applied: '0', Reverted: '0', Snapshot: '', RunId: '' }
  }
}

/**
 * Whether an event is, or may be, the rollback of a deployment that applied migrations: those are taken back whether or
 * not this code applies any by itself.
 */
export async function mayTakeBack(lockstep: Lockstep, event: CustomResourceEvent): Promise<boolean> {
  if (oppositeOf(transitionOf(event)) === null) return false
  return saysRollback(await lockstep.stackStatus(event.StackId)) !== false
}

/** @param onBegin - called before what may be the first statement that changes something */
function run(lockstep: Lockstep, event: CustomResourceEvent, intent: Intent, onBegin: () => void): Promise<RunResult> {
  const { settings, heads } = migrationProperties(event.ResourceProperties)
  const request = runRequest(lockstep, event.RequestId)
  return deploy(engineContext(lockstep, 'deployment'), {
    ...request,
    appliesPending: lockstep.config.autoApply,
    takeSnapshot: async (runId, steps) => {
      onBegin()
      const snapshot = (await request.takeSnapshot?.(runId, steps)) ?? null
      await record(lockstep, { ...intent, state: 'announced' })
      return snapshot
    },
    resource: intent.resource,
    bundle: lockstep.config.migrationsDigest,
    target: intent.to,
    previousTarget: intent.from,
    onRollback: lockstep.config.onRollback,
    stackStatus: () => lockstep.stackStatus(event.StackId),
    isOvertaken: () => isOvertaken(lockstep, intent, { stackId: event.StackId, opposite: oppositeOf(intent) }),
    details: { requestType: event.RequestType, settings, heads },
  })
}

function isUntouched(error: unknown): boolean {
  return error instanceof LockstepError && error.report.state === UNTOUCHED
}

function isUnreachable(error: unknown): boolean {
  return error instanceof LockstepError && ['DATABASE_UNREACHABLE', 'SECRET_UNREADABLE'].includes(error.code)
}

async function isHarmless(lockstep: Lockstep, event: CustomResourceEvent, transition: Transition): Promise<boolean> {
  const opposite = oppositeOf(transition)
  if (lockstep.config.snapshots === null || opposite === null) return false
  try {
    const failed = await knownIntent(lockstep, opposite)
    return hasNothingToTakeBack(failed, await lockstep.stackStatus(event.StackId))
  } catch (error) {
    lockstep.log.warn('the record of the earlier deployment cannot be read', { error: messageOf(error) })
    return false
  }
}

/** Names a custom resource among those of all stacks. */
export function resourceOf({ StackId: stackId, LogicalResourceId: logicalId }: CustomResourceEvent): string {
  return `${stackId}/${logicalId}`
}

function transitionOf(event: CustomResourceEvent): Transition {
  const isUpdate = event.RequestType === 'Update'
  return {
    resource: resourceOf(event),
    from: isUpdate ? migrationProperties(event.OldResourceProperties).migrations : null,
    to: migrationProperties(event.ResourceProperties).migrations,
  }
}

/** Null where there is none: on Create, and when only settings change. */
function oppositeOf({ resource, from, to }: Transition): Transition | null {
  return from === null || from === to ? null : { resource, from: to, to: from }
}

/** A failure here is not the deployment's: the announcement comes before the first statement, and must succeed. */
async function attempt(lockstep: Lockstep, transition: Transition, requestId: string): Promise<Intent> {
  const arrival = { requestId, now: lockstep.clock.now() }
  const intent = attemptOf(transition, { ...arrival, known: null })
  if (lockstep.config.snapshots === null) return intent
  try {
    const { store } = lockstep.snapshots()
    const opposite = oppositeOf(transition)
    const known = await knownIntent(lockstep, transition)
    const reversal = opposite !== null && (await knownIntent(lockstep, opposite)) !== null
    const told = { ...attemptOf(transition, { ...arrival, known }), reversal }
    if (mayOverwrite(known, requestId)) await writeIntent(store, told)
    else if (known !== null && known.requestId !== requestId)
      await writeIntent(store, { ...known, requestId, at: told.at })
    return told
  } catch (error) {
    lockstep.log.warn('the attempt cannot be recorded', { error: messageOf(error) })
    return intent
  }
}

/** @throws LockstepError `SNAPSHOT_FAILED`. */
async function record(lockstep: Lockstep, intent: Intent): Promise<void> {
  if (lockstep.config.snapshots !== null) await writeIntent(lockstep.snapshots().store, intent)
}

/** What was reverted is as if it had never been deployed. */
async function conclude(lockstep: Lockstep, intent: Intent, result: RunResult): Promise<void> {
  const changed = result.status === 'succeeded' ? result.applied.length > 0 : result.rolledBack !== true
  const opposite = oppositeOf(intent)
  try {
    const outcome = result.status === 'succeeded' ? 'succeeded' : 'failed'
    await record(lockstep, { ...intent, state: 'concluded', outcome, changed })
    if (result.status === 'succeeded' && result.reverted.length > 0 && opposite !== null) {
      await record(lockstep, { ...intent, ...opposite, state: 'concluded', outcome: 'failed', changed: false })
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

/** The properties that a `DatabaseMigration` gives its custom resource. What is missing is empty. */
export function migrationProperties(properties: Readonly<Record<string, unknown>> = {}): MigrationResourceProperties {
  const text = (name: keyof MigrationResourceProperties): string => {
    const value = properties[name]
    return typeof value === 'string' ? value : ''
  }
  return { set: text('set'), migrations: text('migrations'), settings: text('settings'), heads: text('heads') }
}
