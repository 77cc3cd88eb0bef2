import type { RunResult } from '../../contract.ts'
import { LockstepError } from '../../errors.ts'
import type { CodeArchive } from '../migration/code-archive.ts'
import type { EngineContext } from '../context.ts'
import { continuedRun } from './continued-run.ts'
import { explained } from '../failure/explained.ts'
import { recordStructure } from '../drift/record.ts'
import { comparePlan, planDetails, type ExpectedPlan } from '../plan/expected-plan.ts'
import { passGate, type Gate } from '../policy/gate.ts'
import { buildGraph, type MigrationGraph } from '../plan/migration-graph.ts'
import type { Migration } from '../migration/migration.ts'
import type { PlannedRun, TakeSnapshot } from './ongoing-run.ts'
import type { RestoreSnapshot } from '../failure/restorable.ts'
import { planDown, type DownTarget } from '../plan/plan-down.ts'
import { planUp, problemError } from '../plan/plan.ts'
import { earlierAnswer } from '../deployment/same-request.ts'
import { refuseBeneathHalfApplied, refuseHalfReverted } from '../failure/half-done.ts'
import { concludeRun, executeRun } from './run.ts'
import type { RunDetails } from '../history/run-record.ts'
import { openSession, type Session, type WhenHeld } from '../session/session.ts'
import { EMPTY_STATE, readSources, readState, type State } from '../history/state.ts'
import { loadParser } from '../migration/statements.ts'
import { downStep, upStep, type Step } from '../plan/step.ts'
import { migrationToRevert } from '../migration/stored-source.ts'
import { currentOf, isRepeatable, previousOf, repeatableNodes, repeatableToRevert } from '../migration/repeatable.ts'

/** What every request for a run says. */
export interface RunRequest {
  readonly migrations: readonly Migration[]
  /** Makes a second delivery of the same request get the first one's answer. @default null */
  readonly requestId?: string | null
  readonly details?: RunDetails
  /** @default null: none is taken */
  readonly takeSnapshot?: TakeSnapshot | null
  /** Puts the run's snapshot back when the run fails and downs cannot take back all of it. @default null: it is left */
  readonly restoreSnapshot?: RestoreSnapshot | null
  /** Keeps the code of TypeScript migrations. @default null: only what needs no compiling can be reverted without its file */
  readonly archive?: CodeArchive | null
  /** What the environment demands. @default nothing */
  readonly gate?: Gate | null
  /** The plan that was agreed to: any other is refused with `PLAN_CHANGED`. @default null: whatever is pending */
  readonly plan?: ExpectedPlan | null
  readonly signal?: AbortSignal
  /** What to do when another run holds the lock. @default wait for the context's `lockTimeoutMs` */
  readonly whenHeld?: WhenHeld
}

export interface UpRequest extends RunRequest {
  /** @default every pending migration */
  readonly to?: string
  /** What to make of migrations that are applied but have no file, when nothing is pending. @default 'refuse' */
  readonly whenAhead?: 'refuse' | 'keep'
}

export interface DownRequest extends RunRequest {
  readonly target: DownTarget
}

/**
 * Applies what is pending. With nothing to do it writes nothing and takes no snapshot.
 *
 * @throws LockstepError for everything that is found before the first write; what fails later is a result.
 */
export async function migrateUp(context: EngineContext, request: UpRequest): Promise<RunResult> {
  const graph = buildGraph(request.migrations)
  return withSession(context, request, (session, state) => upWithin(context, session, state, graph, request))
}

/** {@link migrateUp} on a session that holds the lock. */
export async function upWithin(
  context: EngineContext,
  session: Session,
  state: State,
  graph: MigrationGraph,
  request: UpRequest,
): Promise<RunResult> {
  const plan = planUp(graph, state.applied, request.to)
  const refusal = problemError(plan.problems)
  if (refusal) throw refusal
  if (plan.ahead.length > 0 && request.whenAhead !== 'keep') throw fileMissing(plan.ahead)
  const warnings = plan.ahead.map(
    (id) => `The database is ahead of the files: ${id} is applied and has no file; it is kept.`,
  )
  for (const warning of warnings) context.log.warn(warning)
  const hasFailed = (continuedRun(state, 'up')?.failure ?? null) !== null
  const isIdle = plan.pending.length + plan.repeatables.length === 0
  if (!isIdle || hasFailed) await loadParser()
  const repeatables = await repeatableNodes(session.connection, context, plan.repeatables, state.applied)
  const steps = [...plan.pending, ...repeatables].map(upStep)
  const { database } = session
  const done = comparePlan(context, request.plan, { database, action: 'up', state, steps })
  if (done !== null) return nothingToDo(context, 'up', session, state, [...warnings, done])
  if (!hasFailed) {
    if (isIdle) return nothingLeft(context, session, state, request, { action: 'up', warnings })
    refuseHalfReverted(state)
  }
  const heeded = await passBeforeRun(context, session, state, request, steps)
  return executeRun(context, session, {
    ...plannedOf(request),
    action: 'up',
    steps,
    state,
    warnings: [...warnings, ...heeded],
  })
}

/**
 * Reverts applied migrations, newest first.
 *
 * @throws LockstepError for everything that is found before the first write; what fails later is a result.
 */
export async function migrateDown(context: EngineContext, request: DownRequest): Promise<RunResult> {
  const graph = buildGraph(request.migrations)
  return withSession(context, request, async (session, state) => {
    const chosen = planDown(state.applied, request.target)
    const steps = await downSteps(context, session, {
      graph,
      chosen,
      applied: state.applied,
      archive: request.archive ?? null,
    })
    const { database } = session
    const done = comparePlan(context, request.plan, { database, action: 'down', state, steps })
    if (done !== null) return nothingToDo(context, 'down', session, state, [done])
    if (steps.length === 0) return nothingLeft(context, session, state, request, { action: 'down', warnings: [] })
    await refuseBeneathHalfApplied(context, session.connection, state, graph)
    const warnings = await passBeforeRun(context, session, state, request, steps)
    return executeRun(context, session, { ...plannedOf(request), action: 'down', steps, state, warnings })
  })
}

/** A run that goes on has passed before. */
async function passBeforeRun(
  context: EngineContext,
  { connection, database }: Session,
  state: State,
  request: RunRequest,
  steps: readonly Step[],
): Promise<readonly string[]> {
  const direction = steps[0]?.direction ?? 'up'
  if (continuedRun(state, direction) !== null) return []
  const snapshot = (request.takeSnapshot ?? null) !== null
  const begun = state.progress.map(({ id }) => id)
  const candidate = { database, steps, snapshot, begun }
  return explained(context.schema, () => passGate(context, connection, request.gate, candidate))
}

/** The part of a planned run that its request gives. */
export function plannedOf(request: RunRequest): Omit<PlannedRun, 'action' | 'steps' | 'state' | 'warnings'> {
  return {
    requestId: request.requestId ?? null,
    details: { ...request.details, ...planDetails(request.plan) },
    takeSnapshot: request.takeSnapshot ?? null,
    restoreSnapshot: request.restoreSnapshot ?? null,
    archive: request.archive ?? null,
    migrations: request.migrations,
    signal: request.signal ?? new AbortController().signal,
  }
}

/** Takes the lock, reads the state, and answers a request that was answered before with the same answer. */
export async function withSession(
  context: EngineContext,
  request: RunRequest,
  work: (session: Session, state: State) => Promise<RunResult>,
): Promise<RunResult> {
  const session = await explained(context.schema, () => openSession(context, request.whenHeld))
  try {
    const requestId = request.requestId ?? null
    const read = () => readState(session.connection, context, requestId)
    const state = session.ready ? await explained(context.schema, read) : EMPTY_STATE
    const earlier = earlierAnswer(context, session.database, state)
    if (earlier !== null) return earlier
    const result = await work(session, state)
    if (result.runId !== null && result.status !== 'paused' && isDriftOfInterest(request))
      await recordStructure(context, session.connection, result.runId)
    return result
  } finally {
    await session.release()
  }
}

function isDriftOfInterest({ gate }: RunRequest): boolean {
  return gate !== null && gate !== undefined && gate.policy.policy.onDrift !== 'ignore'
}

/** The steps that revert these migrations, from their files or from the history. */
export async function downSteps(
  context: EngineContext,
  session: Pick<Session, 'connection'>,
  wanted: {
    readonly graph: MigrationGraph
    readonly chosen: State['applied']
    /** All that is applied. */
    readonly applied: State['applied']
    readonly archive: CodeArchive | null
  },
): Promise<readonly Step[]> {
  const { graph, chosen, applied, archive } = wanted
  await loadParser()
  const changed = chosen.filter((entry) => graph.byId.get(entry.id)?.migration.checksum !== entry.checksum)
  const before = new Map(chosen.filter(isRepeatable).map((entry) => [entry.id, previousOf(applied, entry)?.id]))
  const ids = [...changed.map((entry) => entry.id), ...[...before.values()].flatMap((id) => id ?? [])]
  const sources = await readSources(session.connection, context, ids)
  const steps: Step[] = []
  for (const entry of chosen) {
    const own = sources.get(entry.id)
    const migration = isRepeatable(entry)
      ? repeatableToRevert(entry, { own: own ?? '', before: sources.get(before.get(entry.id) ?? '') })
      : await migrationToRevert(entry, graph, { source: own, archive })
    steps.push(downStep(migration))
  }
  return steps
}

/** With nothing to do, a run of the same request that was cut off after its last migration is closed. */
export async function nothingLeft(
  context: EngineContext,
  session: Session,
  state: State,
  request: RunRequest,
  found: { readonly action: 'up' | 'down'; readonly warnings: readonly string[] },
): Promise<RunResult> {
  const action = (['up', 'down'] as const).find((candidate) => continuedRun(state, candidate) !== null)
  if (action === undefined) return nothingToDo(context, found.action, session, state, found.warnings)
  return concludeRun(context, session, { ...plannedOf(request), action, steps: [], state, warnings: found.warnings })
}

/** The result of a run that had nothing to do, and wrote nothing. */
export function nothingToDo(
  context: EngineContext,
  action: 'up' | 'down',
  session: Session,
  state: State,
  warnings: readonly string[],
): RunResult {
  return {
    status: 'succeeded',
    action,
    database: session.database,
    set: context.set,
    runId: null,
    applied: [],
    reverted: [],
    current: currentOf(state.applied)?.id ?? null,
    snapshot: null,
    migrations: [],
    durationMs: 0,
    warnings,
  }
}

function fileMissing(ahead: readonly string[]): LockstepError {
  const [first = ''] = ahead
  return new LockstepError({
    code: 'HISTORY_FILE_MISSING',
    message: `${ahead.join(', ')} ${ahead.length === 1 ? 'is' : 'are'} applied, but without a file: either the file was deleted, or the database is newer than this checkout.`,
    state: 'The database has not been touched.',
    remedy:
      'Check out the version that has the file, or revert the migration with "down" (the history holds its source).',
    migration: first,
  })
}
