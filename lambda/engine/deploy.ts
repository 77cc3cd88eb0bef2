import type { RollbackPolicy, RunResult } from '../contract.ts'
import { LockstepError, messageOf } from '../errors.ts'
import type { EngineContext } from './context.ts'
import { downSteps, nothingToDo, plannedOf, upWithin, withSession, type RunRequest } from './migrate.ts'
import { buildGraph, type MigrationGraph } from './migration-graph.ts'
import type { PlannedRun } from './ongoing-run.ts'
import { planDown } from './plan-down.ts'
import { executeRun } from './run.ts'
import type { Session } from './session.ts'
import { readLastDeployment, type AppliedMigration, type RunRecord, type State } from './state.ts'

/** A deployment's Create or Update of the custom resource. */
export interface DeployRequest extends RunRequest {
  /** Names this resource among those of the set: its stack and logical id. */
  readonly resource: string
  /** Hash of the migrations that this event deploys. */
  readonly target: string
  /** Hash of the migrations that were deployed before; null on Create. */
  readonly previousTarget: string | null
  readonly onRollback: RollbackPolicy
}

/** Beyond this, a return to earlier properties is taken for an intentional deployment. DESIGN §7. Milliseconds. */
const ROLLBACK_WINDOW_MS = 4 * 3_600_000

/**
 * Whether an Update takes a failed deployment back: the previous run of the same resource aimed at what is now the old
 * properties' hash, a short while ago. Pure.
 */
export function isRollback(
  request: Pick<DeployRequest, 'target' | 'previousTarget'>,
  lastRun: Pick<RunRecord, 'details' | 'startedAt'> | null,
  now: Date,
): boolean {
  if (lastRun === null || request.previousTarget === null || request.target === request.previousTarget) return false
  const age = now.getTime() - lastRun.startedAt.getTime()
  return lastRun.details.target === request.previousTarget && age < ROLLBACK_WINDOW_MS
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
      const last = await readLastDeployment(session.connection, context, resource)
      if (isRollback(request, last, context.clock.now())) {
        const own = strangers.filter((entry) => entry.runId === last?.runId)
        return takeBack(context, session, { request, run, graph, state, strangers, own })
      }
    }
    return upWithin(context, session, state, graph, { ...run, whenAhead: 'keep' })
  })
}

interface Rollback {
  readonly request: DeployRequest
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
  if (request.onRollback === 'keep') return keep("because onRollback is 'keep'")
  try {
    const chosen = planDown(state.applied, { kind: 'ids', ids: own.map((entry) => entry.id) })
    const steps = await downSteps(context, session, graph, chosen)
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
