import type { MigrationTiming } from '../contract.ts'
import { runCodeStep } from './code-step.ts'
import type { EngineContext } from './context.ts'
import type { Connection } from './database.ts'
import { FIRE_DEFERRED_SQL, mayDefer } from './deferred-constraints.ts'
import { StepError } from './failure.ts'
import { recordStepSql } from './history.ts'
import { dropNewInvalidIndexes, invalidIndexes } from './invalid-indexes.ts'
import { clearProgressSql, saveProgressSql, statementsDone } from './progress.ts'
import { resetSessionSql, sessionSettingsSql } from './session.ts'
import type { Progress } from './state.ts'
import type { Statement } from './statements.ts'
import type { SqlStep, Step } from './step.ts'

/** What the steps of one run share. */
export interface StepRun {
  readonly context: EngineContext
  readonly runId: string
  readonly progress: readonly Progress[]
  readonly signal: AbortSignal
  /** Position in the history for the next applied step; counted up by the runner. */
  nextPosition: number
  /** Whether something deferred may be pending after a step. */
  deferrable: boolean
}

/**
 * Runs one step and records it: in the surrounding transaction, or, outside of one, after its last statement.
 *
 * @throws StepError
 */
export async function runStep(connection: Connection, step: Step, run: StepRun): Promise<MigrationTiming> {
  const { clock, log } = run.context
  const began = clock.monotonic()
  if (step.lockTimeoutMs !== null || step.statementTimeoutMs !== null) {
    await connection.execute(sessionSettingsSql(run.context, step))
  }
  const statements = await runBody(connection, step, run)
  run.deferrable ||= mayDefer(step)
  const durationMs = clock.monotonic() - began
  await finish(connection, step, run, durationMs)
  const timing = { id: step.id, direction: step.direction, durationMs: Math.round(durationMs), statements }
  log.info(step.direction === 'up' ? 'applied' : 'reverted', { migration: step.id, durationMs: timing.durationMs })
  return timing
}

async function runBody(connection: Connection, step: Step, run: StepRun): Promise<number> {
  if (step.kind === 'ts') {
    try {
      return await runCodeStep(connection, step, { log: run.context.log, signal: run.signal })
    } catch (error) {
      throw new StepError(step, null, error)
    }
  }
  if (!step.transactional) return runOutsideTransaction(connection, step, run)
  for (const statement of step.statements) await runStatement(connection, step, statement, run)
  return step.statements.length
}

async function runStatement(connection: Connection, step: SqlStep, statement: Statement, run: StepRun): Promise<void> {
  try {
    run.signal.throwIfAborted()
    await connection.execute(statement.sql)
  } catch (error) {
    throw new StepError(step, statement, error)
  }
}

/** Each statement commits by itself and is recorded at once, so that the next run goes on at the one that failed. */
async function runOutsideTransaction(connection: Connection, step: SqlStep, run: StepRun): Promise<number> {
  const done = statementsDone(step, run.progress)
  if (done > 0) run.context.log.info('resuming', { migration: step.id, statementsDone: done })
  for (const [index, statement] of step.statements.entries()) {
    if (index < done) continue
    await runUnprotected(connection, step, statement, run)
    const isLast = index + 1 === step.statements.length
    if (!isLast && step.direction === 'up') {
      await connection.execute(saveProgressSql(run.context, step, index + 1, run.runId))
    }
  }
  return step.statements.length - done
}

async function runUnprotected(
  connection: Connection,
  step: SqlStep,
  statement: Statement,
  run: StepRun,
): Promise<void> {
  if (!statement.traits.buildsIndexConcurrently) return runStatement(connection, step, statement, run)
  const before = await invalidIndexes(connection)
  try {
    await runStatement(connection, step, statement, run)
  } catch (error) {
    if (connection.isOpen()) {
      const dropped = await dropNewInvalidIndexes(connection, before).catch(() => [])
      if (dropped.length > 0)
        run.context.log.warn('dropped the invalid index that the failed build left', { indexes: dropped })
    }
    throw error
  }
}

async function finish(connection: Connection, step: Step, run: StepRun, durationMs: number): Promise<void> {
  const record = recordStepSql(run.context, step, { runId: run.runId, durationMs, position: run.nextPosition })
  const parts = [
    ...(step.transactional && run.deferrable ? [FIRE_DEFERRED_SQL] : []),
    resetSessionSql(run.context),
    record,
    ...(step.transactional && step.direction === 'up' ? [] : [clearProgressSql(run.context, step.id)]),
  ]
  try {
    // One message: outside of a transaction block PostgreSQL commits it as a whole.
    await connection.execute(parts.join(';\n'))
  } catch (error) {
    throw new StepError(step, null, error)
  }
  if (step.direction === 'up') run.nextPosition += 1
}
