import type { RollbackPolicy, RunResult } from '../contract.ts'
import { LockstepError, messageOf } from '../errors.ts'
import type { EngineContext } from './context.ts'
import { downSteps, nothingToDo, plannedOf, upWithin, withSession, type RunRequest } from './migrate.ts'
import { buildGraph, type MigrationGraph } from './migration-graph.ts'
import type { PlannedRun } from './ongoing-run.ts'
import { planDown } from './plan-down.ts'
import { aimedAt, isRollback, runToTakeBack, type Targets } from './rollback.ts'
import { executeRun } from './run.ts'
import type { Session } from './session.ts'
import { readDeployments, type AppliedMigration, type State } from './state.ts'

/** A deployment's Create or Update of the custom resource. */
export interface DeployRequest extends RunRequest, Targets {
  /** Names this resource among those of the set: its stack and logical id. */
  readonly resource: string
  readonly onRollback: RollbackPolicy
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
  const run: RunRequest = { ...request, details: { ...request.details, resource, target } }
  return withSession(context, run, async (session, state) => {
    const strangers = state.applied.filter((entry) => !graph.byId.has(entry.id))
    if (strangers.length > 0) {
      const last = runToTakeBack(await readDeployments(session.connection, context, resource), target)
      if (isRollback(request, last, context.clock.now(), await request.stackStatus())) {
        const runId = last !== null && aimedAt(last, request.previousTarget) ? last.runId : null
        const own = strangers.filter((entry) => entry.runId === runId)
        return takeBack(context, session, { request, run, graph, state, strangers, own })
      }
    }
    return upWithin(context, session, state, graph, { ...run, whenAhead: 'keep' })
  })
}

/** A Delete that CloudFormation sends while it takes the creation of the resource back. */
export interface UndoRequest extends RunRequest {
  readonly resource: string
  readonly onRollback: RollbackPolicy
}

/**
 * Reverts what this resource's Create applied, if nothing was deployed to it since.
 *
 * @throws LockstepError for everything that is found before the first write; what fails later is a result.
 */
export async function undoCreation(context: EngineContext, request: UndoRequest): Promise<RunResult> {
  const run: RunRequest = { ...request, details: { resource: request.resource, requestType: 'Delete' } }
  return withSession(context, run, async (session, state) => {
    const [last] = session.ready ? await readDeployments(session.connection, context, request.resource) : []
    const created = last?.details.requestType === 'Create' ? last.runId : null
    const own = state.applied.filter((entry) => entry.runId === created)
    if (own.length === 0) return nothingToDo(context, 'down', session, state, [])
    const graph = buildGraph(request.migrations)
    return takeBack(context, session, { request, run, graph, state, strangers: own, own })
  })
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
  const keep = (why: string): RunResult => {
    const warning = `The rollback leaves the database ahead: ${strangers.map((entry) => entry.id).join(', ')} stays applied, ${why}.`
    context.log.warn(warning)
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
    const steps = await downSteps(context, session, { graph, chosen, archive: run.archive ?? null })
    const planned = { ...plannedOf(run), takeSnapshot: snapshotIfPossible(context, run.takeSnapshot) }
    return await executeRun(context, session, { ...planned, action: 'down', steps, state, warnings: [] })
  } catch (error) {
    if (error instanceof LockstepError && error.code === 'MIGRATION_IRREVERSIBLE')
      return keep(`because ${error.message}`)
    throw error
  }
}

/** The way back is not closed because a copy of what the failed deployment made cannot be had. */
function snapshotIfPossible(
  context: EngineContext,
  takeSnapshot: RunRequest['takeSnapshot'],
): PlannedRun['takeSnapshot'] {
  if (!takeSnapshot) return null
  return async (runId) => {
    try {
      return await takeSnapshot(runId)
    } catch (error) {
      context.log.warn('no snapshot could be taken before the rollback; going on without', { error: messageOf(error) })
      return null
    }
  }
}
