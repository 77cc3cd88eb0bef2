import type { RunResult } from '../../contract.ts'
import { messageOf } from '../../errors.ts'
import type { EngineContext } from '../context.ts'
import type { Connection } from '../database.ts'
import { DEADLINE_IS_NEAR_MS, failureReport } from './failure.ts'
import { settle } from '../run/outside-transaction.ts'
import { clearProgressSql, readProgressOf, saveProgressSql, type Progress } from '../history/progress.ts'
import { describeState, type Aftermath } from './aftermath.ts'
import { finishRunSql, headsOf, recordFailureSql } from '../history/run-record.ts'
import { failed, idsOf, succeeded, type OngoingRun } from '../run/ongoing-run.ts'
import { restoreAfterFailure } from './restore-after-failure.ts'
import { revertCommitted } from './revert-committed.ts'
import { openSession, resetSessionSql, type Session } from '../session/session.ts'
import { readRuns, readState, type State } from '../history/state.ts'
import { currentOf } from '../migration/repeatable.ts'

const RECENT_RUNS = 20

/**
 * After a failure: rolls back (on a new session when the old one is lost), looks at what the database really holds,
 * reverts what this run had committed, and records the failure. A commit whose answer was lost is found to have
 * succeeded.
 */
export async function recover(
  context: EngineContext,
  session: Session,
  run: OngoingRun,
  error: unknown,
): Promise<RunResult> {
  const regained = await regain(context, session).catch((lost: unknown) => lost)
  if (!isSession(regained)) return lostForGood(context, run, error, regained)
  try {
    const { connection } = regained
    const runs = await readRuns(connection, context, RECENT_RUNS)
    const own = runs.find((record) => record.runId === run.runId)
    if (own?.status === 'succeeded') return succeeded(context, run)
    return await undo(context, connection, run, error)
  } catch (second) {
    return lostForGood(context, run, error, second)
  } finally {
    if (regained !== session) await regained.release()
  }
}

function isSession(value: unknown): value is Session {
  return typeof value === 'object' && value !== null && 'release' in value
}

async function regain(context: EngineContext, session: Session): Promise<Session> {
  const { connection } = session
  if (connection.isOpen()) {
    await connection.execute(`ROLLBACK`)
    await connection.execute(resetSessionSql(context))
    return session
  }
  context.log.warn('the connection was lost; connecting again to see what is committed')
  return openSession(context)
}

async function undo(
  context: EngineContext,
  connection: Connection,
  run: OngoingRun,
  error: unknown,
): Promise<RunResult> {
  const deadlineIsNear = context.remainingMs() < DEADLINE_IS_NEAR_MS
  const before = await readState(connection, context)
  const left = leftSomething(run, before)
  if (left) {
    const failure = failureReport(error, 'The run has failed, and is being taken back.', deadlineIsNear)
    await connection.execute(recordFailureSql(context, run.runId, failure))
  }
  const partial = await settlePartial(context, connection, run)
  const reverted = await revertCommitted(context, connection, run, before, partial)
  const after = await readState(connection, context)
  const aftermath = compare(run, after, reverted, await readProgressOf(connection, context, run.runId))
  const report = failureReport(error, describeState(aftermath), deadlineIsNear)
  await connection.execute(
    finishRunSql(context, {
      runId: run.runId,
      status: 'failed',
      toHeads: headsOf(after.applied),
      snapshot: run.snapshot,
      error: report,
      details: {
        outcome: outcomeOf(aftermath),
        reverted: reverted.ids,
        rolledBack: aftermath.rolledBack,
        // That there was one is remembered: what was taken back may have left traces.
        ...(left || run.continued?.failure ? { failure: null } : {}),
      },
    }),
  )
  const found = failed(context, run, { ...outcomeOf(aftermath), error: report, rolledBack: aftermath.rolledBack })
  return restoreAfterFailure(context, connection, run, found)
}

/** Whether an up has committed what must be taken back. A down that failed goes on when it is tried again. */
function leftSomething({ planned, runId }: OngoingRun, { applied, progress }: State): boolean {
  return planned.action === 'up' && [...applied, ...progress].some((entry) => entry.runId === runId)
}

/** Finds out, where the catalog tells, whether a statement that was cut off has done its work; takes its remains away. */
async function settlePartial(
  context: EngineContext,
  connection: Connection,
  run: OngoingRun,
): Promise<readonly Progress[]> {
  for (const progress of await readProgressOf(connection, context, run.runId)) {
    const step = run.planned.steps.find(({ id, direction }) => id === progress.id && direction === progress.direction)
    if (step?.kind !== 'sql' || !progress.inFlight) continue
    if (!step.statements[progress.statementsDone]?.traits.concurrentIndex) continue
    const done = await settle(connection, step, progress)
    const keep = saveProgressSql(context, step, { done, inFlight: false, runId: run.runId })
    await connection.execute(done === 0 ? clearProgressSql(context, step.id) : keep)
  }
  return readProgressOf(connection, context, run.runId)
}

function outcomeOf(aftermath: Aftermath) {
  const { applied, reverted, current } = aftermath
  return { applied, reverted, current }
}

function compare(
  run: OngoingRun,
  after: State,
  reverted: { readonly ids: readonly string[]; readonly obstacle: string | null },
  partial: readonly Progress[],
): Aftermath {
  const ids = idsOf(run)
  const present = new Set(after.applied.map((entry) => entry.id))
  const isUp = run.planned.action === 'up'
  const applied = isUp ? ids.filter((id) => present.has(id)) : []
  const gone = isUp ? [] : ids.filter((id) => !present.has(id))
  return {
    applied,
    reverted: isUp ? reverted.ids : gone,
    undone: isUp ? reverted.ids : [],
    partial: partial.map((progress) => ({ ...progress, statements: statementCount(run, progress.id) })),
    current: currentOf(after.applied)?.id ?? null,
    obstacle: reverted.obstacle,
    rolledBack: applied.length === 0 && gone.length === 0 && partial.length === 0,
  }
}

function statementCount(run: OngoingRun, id: string): number | null {
  const step = run.planned.steps.find((candidate) => candidate.id === id)
  return step?.kind === 'sql' ? step.statements.length : null
}

function lostForGood(context: EngineContext, run: OngoingRun, error: unknown, second: unknown): RunResult {
  const state = `Not known: the database could not be asked after the failure (${messageOf(second)}). What was not committed is undone by the server; what was is in the history.`
  const report = failureReport(error, state, false)
  context.log.error('the database could not be asked after the failure', { runId: run.runId, error: messageOf(second) })
  return failed(context, run, { applied: [], reverted: [], current: null, error: report, rolledBack: false })
}
