import type { MigrationTiming } from '../../contract.ts'
import { runCodeStep } from './code-step.ts'
import type { EngineContext } from '../context.ts'
import type { Connection } from '../database.ts'
import { FIRE_DEFERRED_SQL, mayDefer } from '../session/deferred-constraints.ts'
import { failedStep } from '../failure/failure.ts'
import { lowerAgain, withinLockBudget, type LockWaits } from '../lock/lock-budget.ts'
import { recordStepsSql, type StepRecord } from '../history/history.ts'
import { runOutsideTransaction } from './outside-transaction.ts'
import { clearProgressSql, saveProgressSql, type Progress } from '../history/progress.ts'
import { askWithin, isBegun } from './questions.ts'
import { resetSessionSql, stepTimeoutsSql } from '../session/session.ts'
import type { Statement } from '../migration/statements.ts'
import type { SqlStep, Step } from '../plan/step.ts'
import { watched } from './watch.ts'

/** What the steps of one run share. */
export interface StepRun {
  readonly context: EngineContext
  readonly runId: string
  readonly progress: readonly Progress[]
  readonly signal: AbortSignal
  /** Position in the history for the next applied step; counted up by the runner. */
  nextPosition: number
  /** How many applied migrations the set's history has, those of this run included. */
  historyLength: number
  /** Whether something deferred may be pending after a step. */
  deferrable: boolean
  /** Whether this invocation has done something that a later one need not do again. */
  progressed: boolean
  /** A step that gets an invocation for itself. */
  readonly pauseBefore: string | null
  /** Done in the open transaction, to be recorded before it commits: one statement for many small migrations. */
  unrecorded: StepRecord[]
  readonly lockWaits: LockWaits
  /** Migrations that what they require was asked for before the run touched anything. */
  required: ReadonlySet<string>
}

/** Sources that wait to be recorded do not pile up beyond this. Characters. */
const MOST_UNRECORDED = 1_000_000

/**
 * Runs one step. In a transaction its record is left in `unrecorded`, to be written before the commit; outside of one
 * it is written after the last statement.
 *
 * @throws StepError
 */
export async function runStep(connection: Connection, step: Step, run: StepRun): Promise<MigrationTiming> {
  const { clock, log } = run.context
  const began = clock.monotonic()
  if (step.lockTimeoutMs !== null || step.statementTimeoutMs !== null) {
    await connection.execute(stepTimeoutsSql(run.context, step))
    run.lockWaits.timeoutMs = null
  }
  const statements = await runBody(connection, step, run)
  run.deferrable ||= mayDefer(step)
  const durationMs = clock.monotonic() - began
  await finish(connection, step, run, durationMs)
  run.progressed = true
  const timing = { id: step.id, direction: step.direction, durationMs: Math.round(durationMs), statements }
  log.info(step.direction === 'up' ? 'applied' : 'reverted', { migration: step.id, durationMs: timing.durationMs })
  return timing
}

async function runBody(connection: Connection, step: Step, run: StepRun): Promise<number> {
  if (step.kind === 'ts') {
    if (!step.transactional) await recordCode(connection, step, run)
    try {
      return await runCodeStep(connection, step, run)
    } catch (error) {
      throw failedStep(step, null, error, run.signal)
    }
  }
  if (!run.required.has(step.id) && !isBegun(step, run.progress))
    await askWithin(connection, step, 'require', run.signal)
  const statements = await runStatements(connection, step, run)
  await askWithin(connection, step, 'verify', run.signal)
  return statements
}

async function runStatements(connection: Connection, step: SqlStep, run: StepRun): Promise<number> {
  if (!step.transactional) return runOutsideTransaction(connection, step, run)
  for (const statement of step.statements) await runStatement(connection, step, statement, run)
  return step.statements.length
}

/** What code commits by itself cannot be seen from outside: it counts as begun until it has ended. */
async function recordCode(connection: Connection, step: Step, run: StepRun): Promise<void> {
  await connection.execute(saveProgressSql(run.context, step, { done: 0, inFlight: true, runId: run.runId }))
}

async function runStatement(connection: Connection, step: SqlStep, statement: Statement, run: StepRun): Promise<void> {
  try {
    run.signal.throwIfAborted()
    const at = { step, statement, sql: statement.sql, within: true }
    await watched(run.context, connection, at, () =>
      withinLockBudget(connection, step, run, () => connection.execute(statement.sql)),
    )
  } catch (error) {
    throw failedStep(step, statement, error, run.signal)
  }
}

async function finish(connection: Connection, step: Step, run: StepRun, durationMs: number): Promise<void> {
  const { context, runId, nextPosition: position } = run
  run.unrecorded.push({ step, runId, position, appliedAt: context.clock.now(), durationMs })
  if (step.direction === 'up') {
    run.nextPosition += 1
    run.historyLength += 1
  }
  const parts = [
    ...(step.transactional && run.deferrable ? [FIRE_DEFERRED_SQL] : []),
    ...(mayChangeSession(step, run)
      ? [resetSessionSql(context), ...(step.transactional ? lowerAgain(run.lockWaits) : [])]
      : []),
    ...(step.transactional && !isMuch(run.unrecorded) ? [] : takeRecords(run)),
    ...(step.transactional && step.direction === 'up' ? [] : [clearProgressSql(context, step.id)]),
  ]
  if (parts.length === 0) return
  try {
    // One message: outside of a transaction block PostgreSQL commits it as a whole.
    await connection.execute(parts.join(';\n'))
  } catch (error) {
    throw failedStep(step, null, error, run.signal)
  }
}

/** The statement that records what waits, as a list of none or one; nothing waits afterwards. */
export function takeRecords(run: StepRun): readonly string[] {
  if (run.unrecorded.length === 0) return []
  const sql = recordStepsSql(run.context, run.unrecorded)
  run.unrecorded = []
  return [sql]
}

function isMuch(records: readonly StepRecord[]): boolean {
  return records.reduce((sum, { step }) => sum + step.migration.source.length, 0) > MOST_UNRECORDED
}

/** With a deadline, `statement_timeout` must follow the time that is left. */
export function mayChangeSession(
  step: Step,
  { context }: { readonly context: Pick<EngineContext, 'remainingMs'> },
): boolean {
  const hasOwnTimeouts = step.lockTimeoutMs !== null || step.statementTimeoutMs !== null
  if (step.kind === 'ts' || hasOwnTimeouts || Number.isFinite(context.remainingMs())) return true
  return !step.transactional || step.statements.some((statement) => statement.traits.mayChangeSession)
}
