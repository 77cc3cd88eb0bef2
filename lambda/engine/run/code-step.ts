import { setTimeout as delay } from 'node:timers/promises'
import { LockstepError, UNTOUCHED } from '../../errors.ts'
import type { Connection, ResultSet, Row } from '../database.ts'
import { withinLockBudget } from '../lock/lock-budget.ts'
import type { MigrationContext } from '../migration/migration.ts'
import { controlsTransaction } from '../migration/statements.ts'
import { Paused, pausesHere } from './pause.ts'
import type { StepRun } from './step-runner.ts'
import type { CodeStep } from '../plan/step.ts'
import { watched } from './watch.ts'

const DEFAULT_BATCH_SIZE = 1000

/** Runs a TypeScript migration on the run's session. Gives how many statements it ran. */
export async function runCodeStep(
  connection: Connection,
  step: CodeStep,
  run: Pick<StepRun, 'context' | 'signal' | 'progressed' | 'lockWaits'>,
): Promise<number> {
  let statements = 0
  const at = { step, statement: null, within: step.transactional }
  const query = async (sql: string, parameters: readonly unknown[] = []): Promise<readonly Row[]> => {
    run.signal.throwIfAborted()
    if (step.transactional && controlsTransaction(sql)) throw transactionControl(step)
    statements += 1
    const ask = (): Promise<ResultSet> => connection.query(sql, parameters)
    const work = (): Promise<ResultSet> => (step.transactional ? withinLockBudget(connection, step, run, ask) : ask())
    const { rows } = await watched(run.context, connection, { ...at, sql }, work)
    return rows
  }
  const log = (message: string): void => run.context.log.info(message, { migration: step.id })
  const batch: MigrationContext['batch'] = async (sql, options = {}) => {
    if (step.transactional) throw batchInTransaction(step)
    const size = options.size ?? DEFAULT_BATCH_SIZE
    let total = 0
    for (;;) {
      run.signal.throwIfAborted()
      if (pausesHere(run)) throw new Paused()
      statements += 1
      const { rowCount } = await watched(run.context, connection, { ...at, sql }, () => connection.query(sql, [size]))
      total += rowCount
      if (rowCount === 0) return total
      run.progressed = true
      run.context.log.info('backfill', { migration: step.id, rows: total })
      if (options.pauseMs) await delay(options.pauseMs)
    }
  }
  await step.run({ query: query as MigrationContext['query'], batch, log, signal: run.signal })
  // What follows would be lost with it: the history, and the end of the run.
  if (!step.transactional && connection.isInTransaction()) throw openTransaction(step)
  return statements
}

/** It would end the transaction that the run and its history stand in. */
function transactionControl(step: CodeStep): LockstepError {
  return new LockstepError({
    code: 'MIGRATION_INVALID',
    message: `${step.migration.file} begins or ends a transaction, but it runs inside the one of the run.`,
    state: UNTOUCHED,
    remedy: 'Remove it, or write "export const transaction = false" in the file.',
    migration: step.id,
    file: step.migration.file,
  })
}

function openTransaction(step: CodeStep): LockstepError {
  return new LockstepError({
    code: 'MIGRATION_INVALID',
    message: `${step.migration.file} begins a transaction that it does not end.`,
    state: UNTOUCHED,
    remedy: `Add query('COMMIT') to ${step.migration.file}; what it did in that transaction was rolled back.`,
    migration: step.id,
    file: step.migration.file,
  })
}

function batchInTransaction(step: CodeStep): LockstepError {
  return new LockstepError({
    code: 'MIGRATION_INVALID',
    message: `${step.migration.file} calls batch(), which commits every step, inside a transaction.`,
    state: UNTOUCHED,
    remedy: 'Write "export const transaction = false" in the file, or use query().',
    migration: step.id,
    file: step.migration.file,
  })
}
