import type { ErrorReport, RunResult } from '../../contract.ts'
import { messageOf } from '../../errors.ts'
import type { EngineContext } from '../context.ts'
import type { Connection } from '../database.ts'
import { holdOffOthers } from '../lock/hold-off-others.ts'
import type { OngoingRun } from '../run/ongoing-run.ts'
import { readProgressOf } from '../history/progress.ts'
import { amendErrorSql, finishRunSql, headsOf } from '../history/run-record.ts'
import { readRuns, readState } from '../history/state.ts'
import { currentOf } from '../migration/repeatable.ts'

/** A restore builds every index anew: with a few of them it was measured to take four times as long as the snapshot. */
const TIMES_THE_SNAPSHOT = 4
/** For the swap, for cleaning up when time runs out after all, and for the answer. Milliseconds. */
const MARGIN_MS = 20_000
/** A run that a request begins anew so much later must not take what was written in between with it. Milliseconds. */
const OLDEST_SNAPSHOT_MS = 2 * 3_600_000
const RECENT_RUNS = 20

interface Attempt {
  readonly context: EngineContext
  /** Holds the set's lock, until the swap ends it. */
  readonly connection: Connection
  readonly run: OngoingRun
  /** The failed run, whose record says so already. */
  readonly found: RunResult
  readonly error: ErrorReport
  readonly snapshot: string
}

/**
 * Where a failed run has left something behind, puts the snapshot that it took in the place of the database. The copy
 * says already that the run has failed when it gets its name, so that whoever takes the lock on it finds a run that is
 * over. What keeps the restore from happening is told in the error's state; the database is then as the run left it.
 */
export async function restoreAfterFailure(
  context: EngineContext,
  connection: Connection,
  run: OngoingRun,
  found: RunResult,
): Promise<RunResult> {
  const { error } = found
  const { snapshot } = run
  const { restoreSnapshot } = run.planned
  if (restoreSnapshot === null || snapshot === null || error === undefined || found.rolledBack === true) return found
  const attempt: Attempt = { context, connection, run, found, error, snapshot }
  const sealed: { result: RunResult | null } = { result: null }
  try {
    const obstacle = timeObstacle(attempt) ?? (await obstacleInDatabase(attempt))
    if (obstacle !== null) return await notRestored(attempt, `The snapshot was not restored: ${obstacle}.`, null)
    context.log.warn('restoring the snapshot that was taken before the run', { runId: run.runId, snapshot })
    await restoreSnapshot(snapshot, async (copy, replaced) => {
      sealed.result = await seal(attempt, copy, replaced)
      // Whoever has got the lock after all must not have the database taken away under its run.
      await connection.execute('SELECT 1')
    })
    return { ...(sealed.result ?? found), durationMs: Math.round(context.clock.monotonic() - run.began) }
  } catch (why) {
    context.log.error('the snapshot could not be restored', { runId: run.runId, snapshot, error: messageOf(why) })
    return await notRestored(attempt, sentenceOf(why), sealed.result)
  }
}

/** Why there is no time for it; null: there is. */
function timeObstacle({ context, run }: Attempt): string | null {
  if (run.planned.signal.aborted) return 'the run was told to stop'
  const needed = (run.snapshotMs ?? 0) * TIMES_THE_SNAPSHOT + MARGIN_MS
  const left = context.remainingMs()
  if (needed > left) return `it may take ${seconds(needed)}, and ${seconds(left)} of the function's time are left`
  return null
}

async function obstacleInDatabase({ context, connection, run, found }: Attempt): Promise<string | null> {
  if (run.continued === null && (await changedNothing(context, connection, run, found)))
    return 'this run has changed nothing'
  const own = await recordOf(connection, context, run.runId)
  const age = own === undefined ? 0 : context.clock.now().getTime() - own.startedAt.getTime()
  if (run.continued !== null && age > OLDEST_SNAPSHOT_MS) return `it was taken ${Math.round(age / 3_600_000)} hours ago`
  return holdOffOthers(connection, context, { runId: run.runId, set: context.set })
}

/** A run that fails again where an earlier one has left a half applied migration leaves it as it was. */
async function changedNothing(
  context: EngineContext,
  connection: Connection,
  { planned, runId }: OngoingRun,
  { applied, reverted }: RunResult,
): Promise<boolean> {
  if (applied.length > 0 || reverted.length > 0) return false
  const partial = await readProgressOf(connection, context, runId)
  return partial.every(({ id, direction, statementsDone, inFlight }) =>
    planned.state.progress.some(
      (before) =>
        before.id === id &&
        before.direction === direction &&
        before.statementsDone === statementsDone &&
        !inFlight &&
        !before.inFlight,
    ),
  )
}

/** Ends the run's record in the copy, which still says "running" there. Gives the result of the restored run. */
async function seal(
  { context, run, found, error, snapshot }: Attempt,
  copy: Connection,
  replaced: string,
): Promise<RunResult> {
  const { applied } = await readState(copy, context)
  const current = currentOf(applied)?.id ?? null
  const outcome = { applied: [], reverted: [], current }
  const report = { ...error, state: describeRestored(current, replaced) }
  const ended = await copy.execute(
    finishRunSql(context, {
      runId: run.runId,
      status: 'failed',
      toHeads: headsOf(applied),
      snapshot,
      error: report,
      details: { outcome, reverted: [], rolledBack: true, restored: true, replaced },
    }),
  )
  if (ended.at(-1)?.rowCount !== 1) throw new Error(`the snapshot ${snapshot} does not know of this run`)
  return { ...found, ...outcome, error: report, rolledBack: true }
}

function describeRestored(current: string | null, replaced: string): string {
  const at = current === null ? 'with no migration applied' : `at ${current}`
  return `The snapshot taken before the run was restored: the database is as it was before, ${at}. What was written meanwhile is in "${replaced}".`
}

/** Says in the result, and in the run's record, why the database is still as the run left it. */
async function notRestored(attempt: Attempt, why: string, sealed: RunResult | null): Promise<RunResult> {
  const { context, run, found } = attempt
  const error: ErrorReport = { ...attempt.error, state: `${attempt.error.state} ${why}` }
  try {
    return await onDatabase(attempt, async (connection) => {
      const own = await recordOf(connection, context, run.runId)
      // The answer to the swap was lost, but not the swap.
      if (own?.details['restored'] === true && sealed !== null) return sealed
      await connection.execute(amendErrorSql(context, run.runId, error))
      return { ...found, error }
    })
  } catch (second) {
    context.log.error('why the snapshot was not restored could not be recorded', { error: messageOf(second) })
    return { ...found, error }
  }
}

/** On the run's session, or on a new one: the swap ends it also where it fails in the end. */
async function onDatabase<T>(
  { context, connection }: Attempt,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  try {
    return await work(connection)
  } catch (error) {
    if (connection.isOpen()) throw error
    const another = await context.connect()
    try {
      return await work(another)
    } finally {
      await another.close()
    }
  }
}

async function recordOf(connection: Connection, context: EngineContext, runId: string) {
  const runs = await readRuns(connection, context, RECENT_RUNS)
  return runs.find((record) => record.runId === runId)
}

function sentenceOf(why: unknown): string {
  const text = messageOf(why)
  return /[.!?]$/.test(text) ? text : `The snapshot was not restored: ${text}.`
}

function seconds(milliseconds: number): string {
  return `${Math.max(0, Math.round(milliseconds / 1000))} s`
}
