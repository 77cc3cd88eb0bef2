import type { Connection } from '../database.ts'
import { failedStep } from '../failure/failure.ts'
import { dropLeftovers, isDone, leftovers, type InvalidIndex } from './invalid-indexes.ts'
import { retryOnLock } from '../lock/lock-retry.ts'
import { Paused, pausesHere } from './pause.ts'
import { clearProgressSql, mayCommitNext, progressOf, saveProgressSql, type Progress } from '../history/progress.ts'
import { LOCK_TIMEOUT_MS } from '../session/session.ts'
import type { Statement } from '../migration/statements.ts'
import { beginsTransaction } from '../migration/statement-traits.ts'
import type { StepRun } from './step-runner.ts'
import type { SqlStep } from '../plan/step.ts'
import { watched, type WatchedStatement } from './watch.ts'

/**
 * Runs a step whose statements commit by themselves. Each is recorded before it begins, so that the next run goes on at
 * the one that failed, and can tell from the catalog whether one that was cut off has done its work. Gives how many ran.
 *
 * @throws StepError
 */
export async function runOutsideTransaction(connection: Connection, step: SqlStep, run: StepRun): Promise<number> {
  const from = await resumeAt(connection, step, run)
  /** Where the file's own transaction began; what follows is undone with it. */
  let ownTransaction: number | null = null
  for (const [index, statement] of step.statements.entries()) {
    if (index < from) continue
    if (ownTransaction === null && pausesHere(run)) await pause(connection, step, run, index)
    const done = ownTransaction ?? index
    if (ownTransaction === null && canShareTransaction(statement)) {
      await retryOnLock(connection, run, () => runRecorded(connection, step, statement, run, done))
      run.progressed = true
      continue
    }
    if (ownTransaction === null) await runRepeatedly(connection, step, statement, run, done)
    else await runInside(connection, step, statement, { run, done, index })
    if (statement.traits.transactionControl !== null) {
      ownTransaction = beginsTransaction(statement.traits) ? index : null
    }
    run.progressed = true
  }
  return step.statements.length - from
}

async function pause(connection: Connection, step: SqlStep, run: StepRun, done: number): Promise<never> {
  await connection.execute(saveProgressSql(run.context, step, { done, inFlight: false, runId: run.runId }))
  throw new Paused()
}

/** Whether a statement of a step outside of a transaction commits together with its record. */
export function canShareTransaction({ traits }: Statement): boolean {
  return traits.outsideTransaction === null && traits.transactionControl === null && !traits.mayCommit
}

function execute(connection: Connection, { context }: StepRun, at: WatchedStatement): Promise<unknown> {
  return watched(context, connection, at, () => connection.execute(at.sql))
}

/** What can stand in a transaction commits together with its record: it never runs twice, whenever the process dies. */
async function runRecorded(
  connection: Connection,
  step: SqlStep,
  statement: Statement,
  run: StepRun,
  done: number,
): Promise<void> {
  try {
    run.signal.throwIfAborted()
    await connection.execute(`BEGIN;\nSET LOCAL lock_timeout = ${step.lockTimeoutMs ?? LOCK_TIMEOUT_MS}`)
    await execute(connection, run, { step, statement, sql: statement.sql, within: true })
    const progress = saveProgressSql(run.context, step, { done: done + 1, inFlight: false, runId: run.runId })
    await connection.execute(`${progress};\nCOMMIT`)
  } catch (error) {
    if (connection.isOpen()) await connection.execute('ROLLBACK')
    throw failedStep(step, statement, error, run.signal)
  }
}

async function resumeAt(connection: Connection, step: SqlStep, run: StepRun): Promise<number> {
  const progress = progressOf(step, run.progress)
  if (progress === null) return 0
  const done = await settle(connection, step, progress)
  run.context.log.info('resuming', { migration: step.id, statementsDone: done })
  return done
}

/** How many statements are done, now that whatever was cut off has ended. */
export async function settle(connection: Connection, step: SqlStep, progress: Progress): Promise<number> {
  const target = progress.inFlight ? step.statements[progress.statementsDone]?.traits.concurrentIndex : null
  // Without a name of its own, the index cannot be told from one that somebody else's build has left.
  if (!target || (target.action === 'create' && target.index === null)) return progress.statementsDone
  await dropLeftovers(connection, target)
  return progress.statementsDone + ((await isDone(connection, target)) === true ? 1 : 0)
}

/** Within the file's own transaction nothing is recorded but its end, which commits together with its record. */
async function runInside(
  connection: Connection,
  step: SqlStep,
  statement: Statement,
  { run, done, index }: { readonly run: StepRun; readonly done: number; readonly index: number },
): Promise<void> {
  const end = { done: index + 1, inFlight: false, runId: run.runId }
  const record = statement.traits.transactionControl === 'commit' ? `${saveProgressSql(run.context, step, end)};\n` : ''
  try {
    run.signal.throwIfAborted()
    const within = statement.traits.transactionControl === null
    await execute(connection, run, { step, statement, sql: `${record}${statement.sql}`, within })
  } catch (error) {
    if (connection.isOpen()) await afterFailure(connection, step, statement, { run, done, before: [] })
    throw failedStep(step, statement, error, run.signal)
  }
}

/** Runs a statement that cannot share a transaction, again where nothing but another session's lock was in its way. */
async function runRepeatedly(
  connection: Connection,
  step: SqlStep,
  statement: Statement,
  run: StepRun,
  done: number,
): Promise<void> {
  const target = statement.traits.concurrentIndex
  const before = target === null ? [] : await leftovers(connection, target)
  const once = async (): Promise<void> => {
    await begin(connection, step, statement, run, done)
    await runOne(connection, step, statement, { run, done, before })
  }
  const leavesNothing = statement.traits.transactionControl === null && !mayCommitNext(step, done)
  await (leavesNothing ? retryOnLock(connection, run, once) : once())
}

/** Work that blocks nobody may wait as long as it must: its wait for old transactions counts as one for a lock. */
export function patienceOf({ lockTimeoutMs }: Pick<SqlStep, 'lockTimeoutMs'>, { traits }: Statement): number {
  return lockTimeoutMs ?? (traits.concurrentIndex === null ? LOCK_TIMEOUT_MS : 0)
}

async function begin(
  connection: Connection,
  step: SqlStep,
  statement: Statement,
  run: StepRun,
  done: number,
): Promise<void> {
  const patience = patienceOf(step, statement)
  const progress = saveProgressSql(run.context, step, { done, inFlight: true, runId: run.runId })
  try {
    await connection.execute(`SET lock_timeout = ${patience};\n${progress}`)
  } catch (error) {
    throw failedStep(step, statement, error, run.signal)
  }
}

interface At {
  readonly run: StepRun
  readonly done: number
  /** Invalid indexes that were there before. */
  readonly before: readonly InvalidIndex[]
}

async function runOne(connection: Connection, step: SqlStep, statement: Statement, at: At): Promise<void> {
  const { run, before } = at
  const target = statement.traits.concurrentIndex
  try {
    run.signal.throwIfAborted()
    // What an earlier try has left, when the lock was in the way of dropping it as well.
    if (target !== null) await dropLeftovers(connection, target, before)
    await execute(connection, run, { step, statement, sql: statement.sql, within: false })
    if (
      target !== null &&
      target.action === 'create' &&
      (await isDone(connection, target)) === false &&
      target.index !== null
    ) {
      throw new Error(`the index ${target.index} is there, but invalid; drop it and run again`)
    }
  } catch (error) {
    if (connection.isOpen()) await afterFailure(connection, step, statement, at)
    throw failedStep(step, statement, error, run.signal)
  }
}

/** A refused statement leaves nothing, but for the invalid index of a concurrent build, and what it has committed itself. */
async function afterFailure(connection: Connection, step: SqlStep, statement: Statement, at: At): Promise<void> {
  const { run, done, before } = at
  // Of the file's own transaction, if one is open.
  await connection.execute('ROLLBACK')
  const target = statement.traits.concurrentIndex
  const dropped = target === null ? [] : await dropLeftovers(connection, target, before).catch(() => [])
  if (dropped.length > 0)
    run.context.log.warn('dropped the invalid index that the failed build left', { indexes: dropped })
  const inFlight = step.statements[done] === statement && mayCommitNext(step, done)
  const keep = saveProgressSql(run.context, step, { done, inFlight, runId: run.runId })
  await connection.execute(done === 0 && !inFlight ? clearProgressSql(run.context, step.id) : keep)
}
