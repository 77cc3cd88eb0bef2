import type { HistoryResult, RunSummary, SnapshotMode, StatusResult } from '../contract.ts'
import { LockstepError } from '../errors.ts'
import type { PlanResult, PlanScript } from '../plan-contract.ts'
import type { SnapshotEstimate } from '../snapshot-contract.ts'
import type { CodeArchive } from './migration/code-archive.ts'
import type { EngineContext } from './context.ts'
import type { Connection } from './database.ts'
import { judgeByPolicy, type Gate } from './policy/gate.ts'
import { historyReadySql } from './history/history-schema.ts'
import { explained } from './failure/explained.ts'
import { isLockHeld, lockKey } from './lock/lock.ts'
import { downSteps } from './run/migrate.ts'
import { buildGraph } from './plan/migration-graph.ts'
import type { Migration } from './migration/migration.ts'
import { planDown, type DownTarget } from './plan/plan-down.ts'
import { planHash } from './plan/plan-hash.ts'
import { aheadProblems, planSteps } from './plan/plan-steps.ts'
import { planUp, problemError, type Problem } from './plan/plan.ts'
import { NO_POLICY } from './policy/policy.ts'
import { psqlScript, type ScriptPlan } from './script/psql-script.ts'
import { EMPTY_STATE, readRuns, readState, type RunRecord, type State } from './history/state.ts'
import { loadParser } from './migration/statements.ts'
import { upStep, type Step } from './plan/step.ts'
import type { Live } from './policy/run-facts.ts'
import { currentOf, isRepeatable, repeatableNodes } from './migration/repeatable.ts'

const SHOWN_RUNS = 20

type Reader = Pick<EngineContext, 'connect' | 'schema' | 'set' | 'clock'>

interface Found {
  readonly connection: Connection
  readonly database: string
  readonly ready: boolean
  readonly state: State
}

/** Looks without taking the lock or writing anything. */
async function look<T>(context: Reader, work: (found: Found) => Promise<T>): Promise<T> {
  const connection = await context.connect()
  try {
    return await explained(context.schema, async () => work(await find(connection, context)))
  } finally {
    await connection.close()
  }
}

async function find(connection: Connection, context: Reader): Promise<Found> {
  const { rows } = await connection.query(
    `SELECT pg_catalog.current_database() AS database, ${historyReadySql(context.schema)} AS ready`,
  )
  const ready = rows[0]?.ready === true
  const state = ready ? await truthful(connection, context, await readState(connection, context)) : EMPTY_STATE
  return { connection, database: String(rows[0]?.database), ready, state }
}

/** A run that says "running" without holding the lock was killed, or is of the time of a restored snapshot. */
async function truthful(connection: Connection, context: Reader, state: State): Promise<State> {
  if (state.lastRun?.status !== 'running' || isPaused(state.lastRun, context.clock.now())) return state
  if (await isLockHeld(connection, lockKey(context.schema, context.set))) return state
  return { ...state, lastRun: { ...state.lastRun, status: 'interrupted' } }
}

/** Between two invocations of a run nobody holds the lock; the next one comes within seconds. Milliseconds. */
const LONGEST_PAUSE_MS = 60_000

function isPaused({ details }: RunRecord, now: Date): boolean {
  const { pausedAtMs } = details
  return typeof pausedAtMs === 'number' && now.getTime() - pausedAtMs < LONGEST_PAUSE_MS
}

/** Where the database stands against the files. @throws LockstepError `DATABASE_UNREACHABLE`, `MIGRATION_INVALID`. */
export async function status(context: Reader, migrations: readonly Migration[]): Promise<StatusResult> {
  const graph = buildGraph(migrations)
  return look(context, async ({ database, state }) => {
    const plan = planUp(graph, state.applied)
    return {
      database,
      set: context.set,
      current: currentOf(state.applied)?.id ?? null,
      head: graph.heads.length === 1 ? (graph.heads[0] ?? null) : null,
      heads: graph.heads,
      pending: plan.pending.map((node) => node.migration.id),
      repeatables: plan.repeatables.map(({ id }) => id),
      applied: state.applied.filter((entry) => !isRepeatable(entry)).length,
      ahead: plan.ahead,
      upToDate:
        plan.pending.length + plan.repeatables.length === 0 && plan.ahead.length === 0 && plan.problems.length === 0,
      problems: plan.problems,
      lastRun: state.lastRun === null ? null : summaryOf(state.lastRun),
    }
  })
}

/** What was applied, and the latest attempts. @throws LockstepError `DATABASE_UNREACHABLE`. */
export async function history(context: Reader): Promise<HistoryResult> {
  return look(context, async ({ connection, database, ready, state }) => {
    const runs = ready ? await readRuns(connection, context, SHOWN_RUNS) : []
    const migrations = state.applied.map(({ appliedAt, parents: _parents, archive: _archive, ...entry }) => ({
      ...entry,
      appliedAt: appliedAt.toISOString(),
    }))
    return { database, set: context.set, migrations, runs: runs.map(summaryOf) }
  })
}

function summaryOf(run: RunRecord): RunSummary {
  return {
    runId: run.runId,
    action: run.action,
    trigger: run.trigger,
    status: run.status,
    startedAt: run.startedAt.toISOString(),
    finishedAt: run.finishedAt?.toISOString() ?? null,
    error: run.error,
  }
}

export interface PlanRequest {
  readonly migrations: readonly Migration[]
  readonly to?: string
  readonly down?: DownTarget
  readonly sql: boolean
  /** Whether the script for psql is wanted. @default false */
  readonly script?: boolean
  readonly snapshot: SnapshotMode
  /** Whose rows the snapshot holds, as the settings say it. @default null: that is not chosen */
  readonly snapshotRows?: string | null
  /** Sizes up the snapshot before these steps. @default null: there would be none */
  readonly estimate?: ((steps: readonly Step[]) => Promise<SnapshotEstimate | null>) | null
  readonly archive?: CodeArchive | null
  /** What the environment demands. @default nothing */
  readonly gate?: Gate | null
}

/**
 * What `up` (or, with `down`, `down`) would do now. Touches nothing.
 *
 * @throws LockstepError `MIGRATION_INVALID`, `MIGRATION_UNKNOWN`, `MIGRATION_IRREVERSIBLE`, `DATABASE_UNREACHABLE`.
 */
export async function plan(context: EngineContext, request: PlanRequest): Promise<PlanResult> {
  const { steps, result } = await planned(context, request)
  if (!request.estimate || steps.length === 0) return result
  return { ...result, snapshotEstimate: await request.estimate(steps) }
}

interface Planned {
  readonly steps: readonly Step[]
  readonly result: PlanResult
}

async function planned(context: EngineContext, request: PlanRequest): Promise<Planned> {
  const graph = buildGraph(request.migrations)
  await loadParser()
  return look(context, async ({ connection, database, ready, state }) => {
    const current = currentOf(state.applied)?.id ?? null
    if (request.down) {
      const chosen = planDown(state.applied, request.down)
      const steps = await downSteps(
        context,
        { connection },
        { graph, chosen, applied: state.applied, archive: request.archive ?? null },
      )
      const left = state.applied.filter((entry) => !chosen.includes(entry))
      const target = currentOf(left)?.id ?? null
      return complete(context, connection, request, {
        action: 'down',
        database,
        ready,
        state,
        current,
        target,
        steps,
        problems: [],
      })
    }
    const { pending, repeatables, ahead, problems } = planUp(graph, state.applied, request.to)
    const last = await repeatableNodes(connection, context, repeatables, state.applied)
    return complete(context, connection, request, {
      action: 'up',
      database,
      ready,
      state,
      current,
      target: pending.at(-1)?.migration.id ?? current,
      steps: [...pending, ...last].map(upStep),
      problems: [...problems, ...aheadProblems(ahead, problems)],
    })
  })
}

const NOTHING_LIVE: Live = { relations: new Map(), isEmpty: false }

type Draft = Pick<PlanResult, 'action' | 'database' | 'current' | 'target'> & {
  readonly problems: readonly Problem[]
  readonly steps: readonly Step[]
  readonly state: State
  readonly ready: boolean
}

/** With what the policy says. Nobody has to confirm a plan. */
async function complete(
  context: EngineContext,
  connection: Connection,
  request: PlanRequest,
  { steps, state, ready, problems: found, ...planned }: Draft,
): Promise<Planned> {
  const { gate = null, snapshot, snapshotRows: rows = null } = request
  const { action, database } = planned
  const begun = state.progress.map(({ id }) => id)
  const candidate = { database, steps, snapshot: snapshot !== 'none', begun }
  const verdict =
    gate === null
      ? { problems: [], warnings: [], analysis: new Map<string, never>(), live: NOTHING_LIVE }
      : await judgeByPolicy(context, connection, { ...gate, confirm: database }, candidate)
  const hash = planHash(context, { action, database, state, steps, snapshot: { mode: snapshot, rows } })
  const problems = [...found, ...verdict.problems]
  const script = (): PlanScript => scriptOf(context, problems, { ...planned, hash, state, steps, ready })
  const result = {
    ...planned,
    set: context.set,
    hash,
    snapshot,
    policy: gate?.policy ?? NO_POLICY,
    steps: planSteps(steps, context, { sql: request.sql, ...verdict }),
    problems,
    warnings: verdict.warnings,
    ...(request.script ? { script: script() } : {}),
  }
  return { steps, result }
}

/** What a run would refuse, psql must not do either. */
function scriptOf(context: EngineContext, problems: readonly Problem[], plan: ScriptPlan): PlanScript {
  const refusal = problemError(problems)
  if (refusal !== null) return { sql: null, refused: refusal.report }
  try {
    return { sql: psqlScript(context, plan), refused: null }
  } catch (error) {
    if (error instanceof LockstepError) return { sql: null, refused: error.report }
    throw error
  }
}
