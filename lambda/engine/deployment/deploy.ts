import type { RollbackPolicy, RunResult } from '../../contract.ts'
import { LockstepError, messageOf, UNTOUCHED } from '../../errors.ts'
import { breakingAmong, databaseAheadError, describeBreaking } from '../plan/breaking.ts'
import type { EngineContext } from '../context.ts'
import { continuedRun } from '../run/continued-run.ts'
import { warnOfDrift } from '../policy/gate.ts'
import { whyNotBeneath } from '../failure/half-done.ts'
import {
  downSteps,
  nothingLeft,
  nothingToDo,
  plannedOf,
  upWithin,
  withSession,
  type RunRequest,
} from '../run/migrate.ts'
import { buildGraph, type MigrationGraph } from '../plan/migration-graph.ts'
import type { PlannedRun } from '../run/ongoing-run.ts'
import { isPause } from '../run/pause.ts'
import { planDown } from '../plan/plan-down.ts'
import { planUp } from '../plan/plan.ts'
import { foreignRepeatables, isRepeatable } from '../migration/repeatable.ts'
import { aimedAt, isRollback, saysRollback, runToTakeBack, type Targets } from './rollback.ts'
import { executeRun } from '../run/run.ts'
import { settleRunsSql } from '../history/run-record.ts'
import type { Session, WhenHeld } from '../session/session.ts'
import { takePlace, type Place } from './superseded.ts'
import { endRunTakenBack, isDeliveredTwice } from './end-run-taken-back.ts'
import { readDeployments, readState, type AppliedMigration, type RunRecord, type State } from '../history/state.ts'

/** A deployment's Create or Update of the custom resource. */
export interface DeployRequest extends RunRequest, Targets, Place {
  /** Hash of the migrations that this code holds; null when it is not known. @default null */
  readonly bundle?: string | null
  readonly onRollback: RollbackPolicy
  /** Whether to go forward; without it only a rollback does something. @default true */
  readonly appliesPending?: boolean
  /** The stack's status from CloudFormation; null when it cannot be asked. Asked only where it matters. */
  readonly stackStatus: () => Promise<string | null>
}

/**
 * Brings the database to where the deployment is: forward with what is pending; back, when this is the rollback of a
 * deployment whose migrations are applied but not among the files, with the sources that the history holds.
 *
 * @throws LockstepError for everything that is found before the first write; what fails later is a result.
 */
export async function deploy(context: EngineContext, request: DeployRequest): Promise<RunResult> {
  const graph = buildGraph(request.migrations)
  const { resource, target } = request
  const whenHeld: WhenHeld = async (connection) =>
    (await isDeliveredTwice(context, connection, request.requestId)) ||
    (saysRollback(await request.stackStatus()) === true && endRunTakenBack(context, connection, request))
  const run: RunRequest = { ...request, whenHeld, details: { ...request.details, resource, target } }
  return withSession(context, run, async (session, state) => {
    await takePlace(context, session, state, request)
    refuseOtherCode(request)
    const strangers = strangersOf(graph, state.applied)
    if (strangers.length > 0) {
      const last = runToTakeBack(await readDeployments(session.connection, context, resource), target)
      if (isRollback(request, last, context.clock.now(), await request.stackStatus())) {
        const runId = last !== null && aimedAt(last, request.previousTarget) && !wasKept(last) ? last.runId : null
        const own = strangers.filter((entry) => entry.runId === runId)
        return takeBack(context, session, { request, run, graph, state, strangers, own })
      }
      // Where nothing of the migrations changes, this may be a rollback all the same: of the settings.
      const isMove = target !== request.previousTarget && request.appliesPending !== false
      if (isMove && planUp(graph, state.applied).problems.length === 0) {
        const breaking = await breakingAmong(context, session.connection, strangers, run.archive ?? null)
        if (breaking.length > 0) throw databaseAheadError(breaking)
        await settle(context, session, strangers)
      }
    }
    if (request.appliesPending === false) return nothingToDo(context, 'up', session, state, [])
    const gate = run.gate ? { ...run.gate, isRollback: () => takesBack(context, session, request) } : null
    return upWithin(context, session, state, graph, { ...run, gate, whenAhead: 'keep' })
  })
}

/** Whether the deployment is the rollback of another one, whatever that has come to. */
async function takesBack(context: EngineContext, { connection }: Session, request: DeployRequest): Promise<boolean> {
  const stackStatus = await request.stackStatus()
  if (saysRollback(stackStatus) === true) return true
  const last = runToTakeBack(await readDeployments(connection, context, request.resource), request.target)
  return isRollback(request, last, context.clock.now(), stackStatus)
}

/** These migrations stay, whatever becomes of what is deployed after them. */
async function settle(context: EngineContext, { connection }: Session, kept: State['applied']): Promise<void> {
  await connection.execute(settleRunsSql(context, [...new Set(kept.map(({ runId }) => runId))]))
}

function wasKept({ details }: RunRecord): boolean {
  return details.kept === true
}

/** What is applied and not of this code, oldest first. */
function strangersOf(graph: MigrationGraph, applied: State['applied']): State['applied'] {
  const versioned = applied.filter((entry) => !isRepeatable(entry) && !graph.byId.has(entry.id))
  const repeatables = foreignRepeatables(graph, applied, versioned.length > 0)
  return applied.filter((entry) => versioned.includes(entry) || repeatables.includes(entry))
}

/** An event that reaches the code of another deployment must not apply what that holds. */
function refuseOtherCode({ bundle, target }: DeployRequest): void {
  if (bundle === undefined || bundle === null || bundle === target) return
  throw new LockstepError({
    code: 'EVENT_INVALID',
    message: `The event deploys the migrations ${target.slice(0, 12)}, but the function holds ${bundle.slice(0, 12)}.`,
    state: UNTOUCHED,
    remedy:
      'Deploy again, or continue the rollback of the stack: the function must have the code of the deployment that calls it.',
  })
}

/** A Delete that CloudFormation sends while it takes the creation of the resource back. */
export interface UndoRequest extends RunRequest, Creation {
  readonly onRollback: RollbackPolicy
}

/** A resource that the operation which is taken back has made. */
export interface Creation {
  readonly resource: string
  /** Hash of the migrations that it deployed. */
  readonly target: string
  /** `Update` for one that took another's place under a new physical id. */
  readonly requestType: 'Create' | 'Update'
}

/**
 * Reverts what the creation of this resource applied, if nothing was deployed to it since.
 *
 * @throws LockstepError for everything that is found before the first write; what fails later is a result.
 */
export async function undoCreation(context: EngineContext, request: UndoRequest): Promise<RunResult> {
  const whenHeld: WhenHeld = (connection) => endRunTakenBack(context, connection, request)
  const run: RunRequest = { ...request, whenHeld, details: { resource: request.resource, requestType: 'Delete' } }
  return withSession(context, run, async (session, state) => {
    await takePlace(context, session, state, request)
    const runs = session.ready ? await readDeployments(session.connection, context, request.resource) : []
    const others = runs.filter((record) => record.runId !== state.sameRequest?.runId)
    const own = appliedByCreation(others, state.applied, request)
    if (own.length === 0) return nothingLeft(context, session, state, run, { action: 'down', warnings: [] })
    const graph = buildGraph(request.migrations)
    return takeBack(context, session, { request, run, graph, state, strangers: own, own })
  })
}

/** What a creation applied that nothing was deployed after. Pure. @param runs - of the resource, newest first */
function appliedByCreation(
  [last]: readonly RunRecord[],
  applied: readonly AppliedMigration[],
  { target, requestType }: Creation,
): readonly AppliedMigration[] {
  if (last === undefined || last.details.requestType !== requestType || !aimedAt(last, target) || wasKept(last))
    return []
  return applied.filter((entry) => entry.runId === last.runId)
}

/**
 * Ids of what the creation of a resource applied, without taking any of it back. Waits for no lock.
 *
 * @throws LockstepError `DATABASE_UNREACHABLE`.
 */
export async function readCreation(context: EngineContext, creation: Creation): Promise<readonly string[]> {
  const connection = await context.connect()
  try {
    const { applied } = await readState(connection, context)
    const runs = await readDeployments(connection, context, creation.resource)
    return appliedByCreation(runs, applied, creation).map((entry) => entry.id)
  } finally {
    await connection.close()
  }
}

interface Rollback {
  readonly request: Pick<DeployRequest, 'onRollback'>
  readonly run: RunRequest
  readonly graph: MigrationGraph
  readonly state: State
  /** Applied, without a file in this code. */
  readonly strangers: readonly AppliedMigration[]
  /** Those that the failed deployment applied. */
  readonly own: readonly AppliedMigration[]
}

/**
 * A rollback must not fail for what cannot be helped: it would strand the stack in UPDATE_ROLLBACK_FAILED. What is
 * irreversible keeps the database ahead, as a whole and with a warning, rather than between two states.
 */
async function takeBack(context: EngineContext, session: Session, rollback: Rollback): Promise<RunResult> {
  const { request, run, graph, state, strangers, own } = rollback
  const keep = async (why: string): Promise<RunResult> => {
    const breaking = await breakingAmong(context, session.connection, strangers, run.archive ?? null)
    const alarm =
      breaking.length === 0 ? '' : ` The code before does not work with it: breaking are ${describeBreaking(breaking)}.`
    const warning = `The rollback leaves the database ahead: ${strangers.map((entry) => entry.id).join(', ')} stays applied, ${why}.${alarm}`
    context.log[breaking.length === 0 ? 'warn' : 'error'](warning)
    context.log.metric?.('DatabaseAhead', strangers.length)
    await settle(context, session, strangers)
    return nothingToDo(context, 'down', session, state, [warning])
  }
  if (own.length === 0) return keep('because the deployment that is rolled back did not apply it')
  const newest = state.applied.slice(-own.length)
  if (!own.every((entry, index) => entry.id === newest[index]?.id)) {
    return keep('because other migrations were applied after it')
  }
  if (request.onRollback === 'keep') return keep("because onRollback is 'keep'")
  try {
    const chosen = planDown(state.applied, { kind: 'ids', ids: own.map((entry) => entry.id) })
    const steps = await downSteps(context, session, {
      graph,
      chosen,
      applied: state.applied,
      archive: run.archive ?? null,
    })
    const half = await whyNotBeneath(context, session.connection, state, graph)
    if (half !== null) return keep(`because ${half}`)
    const takeSnapshot = snapshotIfPossible(context, run.takeSnapshot)
    // Whoever is taken back has been served by what was deployed: what was written since must not go.
    const planned = { ...plannedOf(run), takeSnapshot, restoreSnapshot: null }
    const isContinued = continuedRun(state, 'down') !== null
    const warnings = isContinued ? [] : await warnOfDrift(context, session.connection, run.gate, steps)
    return await executeRun(context, session, { ...planned, action: 'down', steps, state, warnings })
  } catch (error) {
    if (error instanceof LockstepError && error.code === 'MIGRATION_IRREVERSIBLE')
      return await keep(`because ${error.message}`)
    throw error
  }
}

/** The way back is not closed because a copy of what the failed deployment made cannot be had. */
function snapshotIfPossible(
  context: EngineContext,
  takeSnapshot: RunRequest['takeSnapshot'],
): PlannedRun['takeSnapshot'] {
  if (!takeSnapshot) return null
  return async (runId, steps) => {
    try {
      return await takeSnapshot(runId, steps)
    } catch (error) {
      if (isPause(error)) throw error
      context.log.warn('no snapshot could be taken before the rollback; going on without', { error: messageOf(error) })
      return null
    }
  }
}
