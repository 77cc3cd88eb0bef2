import type { MigrationTiming, RunResult } from '../../contract.ts'
import { errorOf } from '../../errors.ts'
import { archiveCode } from '../migration/code-archive.ts'
import { cancelOnAbort } from '../session/cancel-on-abort.ts'
import type { EngineContext } from '../context.ts'
import type { Connection } from '../database.ts'
import { continuedRun } from './continued-run.ts'
import { explained } from '../failure/explained.ts'
import type { StepError } from '../failure/failure.ts'
import { hasDeferrable } from '../session/deferred-constraints.ts'
import { createHistory } from '../history/history-schema.ts'
import { noLockWaits } from '../lock/lock-budget.ts'
import { outcomeOf, paused, succeeded, type OngoingRun, type PlannedRun, type TakeSnapshot } from './ongoing-run.ts'
import { isPause, pausesHere, wasCutShort } from './pause.ts'
import { askRequirements } from './questions.ts'
import { recover } from '../failure/recover.ts'
import { refuseUnrestorable } from '../failure/restorable.ts'
import {
  finishRunSql,
  headsOf,
  pauseRunSql,
  recordRevertedSql,
  recordSnapshotSql,
  resumeRunSql,
  startRunSql,
} from '../history/run-record.ts'
import { segmentsOf, type Segment } from '../plan/segments.ts'
import { runSegment } from './segment-runner.ts'
import { resetSessionSql, type Session } from '../session/session.ts'
import type { StepRun } from './step-runner.ts'

/**
 * Does a planned run: record, snapshot, segments, commit. Never leaves the database between two states without saying
 * so: what fails is rolled back or reverted, and the result tells what is left. Continues the run that the same request
 * began before, also where all that is left of it is to take it back; pauses where a later invocation will continue it.
 */
export async function executeRun(context: EngineContext, session: Session, planned: PlannedRun): Promise<RunResult> {
  const run = begin(context, session, planned)
  if (planned.restoreSnapshot !== null && run.continued === null) await refuseUnrestorable(session.connection)
  const stepRun = stepRunOf(context, run)
  if (run.continued === null)
    stepRun.required = await askRequirements(session.connection, planned.steps, planned.state.progress)
  await explained(context.schema, () => recordStart(context, session, run))
  const failure = run.continued?.failure ?? null
  if (failure !== null) return recover(context, session, run, errorOf(failure))
  const stopCancelling = cancelOnAbort(context, session.connection, planned.signal)
  try {
    const end = (await prepare(context, session, run, stepRun)) ? await runSegments(session, run, stepRun) : 'paused'
    await stopCancelling()
    return end === 'paused' ? paused(context, run) : succeeded(context, run)
  } catch (error) {
    await stopCancelling()
    if (wasCutShort(error, stepRun) && session.connection.isOpen()) return leaveToNext(context, session, run, error)
    context.log.error('the run failed; rolling back', { runId: run.runId })
    return recover(context, session, run, error)
  }
}

function begin(context: EngineContext, session: Session, planned: PlannedRun): OngoingRun {
  const continued = continuedRun(planned.state, planned.action)
  return {
    planned,
    continued,
    runId: continued?.runId ?? context.newRunId(),
    database: session.database,
    began: context.clock.monotonic(),
    timings: [],
    snapshot: continued?.snapshot ?? null,
    snapshotMs: null,
  }
}

async function recordStart(context: EngineContext, session: Session, run: OngoingRun): Promise<void> {
  const { planned, continued, runId } = run
  if (!session.ready) await createHistory(session.connection, context.schema)
  if (continued !== null) context.log.info('continuing the run', { runId, done: continued.done.length })
  const fromHeads = headsOf(planned.state.applied)
  await session.connection.execute(
    continued === null ? startRunSql(context, { ...planned, runId, fromHeads }) : resumeRunSql(context, runId),
  )
}

/** Closes a run that was cut off after its last migration. Gives its result. */
export async function concludeRun(context: EngineContext, session: Session, planned: PlannedRun): Promise<RunResult> {
  const run = begin(context, session, planned)
  await session.connection.execute(closingSql(context, run))
  return succeeded(context, run)
}

/** What comes before the first statement. False: the snapshot is still in the making, and the run is paused. */
async function prepare(
  context: EngineContext,
  { connection }: Session,
  run: OngoingRun,
  stepRun: StepRun,
): Promise<boolean> {
  const { planned, runId } = run
  if (run.snapshot === null && planned.takeSnapshot !== null) {
    try {
      run.snapshot = await takeSnapshot(context, connection, run, planned.takeSnapshot)
    } catch (error) {
      if (!isPause(error)) throw error
      context.log.info('the snapshot is not there yet; the next invocation goes on waiting', { runId })
      await connection.execute(pauseRunSql(context, runId, { reverted: revertedBy(run) }))
      return false
    }
    stepRun.progressed = run.snapshot !== null
  }
  await archiveCode(planned.archive, planned.steps)
  return true
}

async function takeSnapshot(
  context: EngineContext,
  connection: Connection,
  run: OngoingRun,
  take: TakeSnapshot,
): Promise<string | null> {
  const { runId } = run
  const began = context.clock.monotonic()
  context.log.info('taking a snapshot', { runId })
  const snapshot = await take(runId, run.planned.steps)
  run.snapshotMs = Math.round(context.clock.monotonic() - began)
  if (snapshot !== null) await connection.execute(recordSnapshotSql(context, runId, snapshot))
  context.log.info('snapshot taken', { snapshot, durationMs: run.snapshotMs })
  return snapshot
}

/** The step that was cut off is undone, and begins anew with an invocation's whole time. */
async function leaveToNext(
  context: EngineContext,
  { connection }: Session,
  run: OngoingRun,
  { step }: StepError,
): Promise<RunResult> {
  context.log.warn('the time of this invocation was over; the next one begins with this migration', {
    migration: step.id,
  })
  await connection.execute('ROLLBACK')
  await connection.execute(resetSessionSql(context))
  await connection.execute(pauseRunSql(context, run.runId, { reverted: revertedBy(run), pauseBefore: step.id }))
  return paused(context, run)
}

function stepRunOf(context: EngineContext, { planned, runId, continued }: OngoingRun): StepRun {
  return {
    context,
    runId,
    progress: planned.state.progress,
    signal: planned.signal,
    required: new Set(),
    nextPosition: (planned.state.applied.at(-1)?.position ?? 0) + 1,
    historyLength: planned.state.applied.length,
    deferrable: true,
    progressed: false,
    pauseBefore: continued?.pauseBefore ?? null,
    unrecorded: [],
    lockWaits: noLockWaits(),
  }
}

async function runSegments(session: Session, run: OngoingRun, stepRun: StepRun): Promise<'done' | 'paused'> {
  const { context, runId } = stepRun
  const { planned } = run
  const { connection } = session
  stepRun.deferrable = await hasDeferrable(connection)
  const segments = segmentsOf(planned.steps, context.scope)
  for (const [index, segment] of segments.entries()) {
    if (pausesHere(stepRun)) {
      await connection.execute(pauseRunSql(context, runId, { reverted: revertedBy(run) }))
      return 'paused'
    }
    const closing = index === segments.length - 1 ? closingSql(context, run) : revertedSql(context, run, segment)
    const performed = await runSegment(connection, segment, stepRun, {
      whole: closing,
      paused: (timings) => pauseRunSql(context, runId, { reverted: [...revertedBy(run), ...idsIn(timings, 'down')] }),
    })
    run.timings.push(...performed.timings)
    if (performed.paused) return 'paused'
  }
  return 'done'
}

/** What an up has done is in the history; what a down has done is nowhere, if its process dies before the end. */
function revertedSql(context: EngineContext, run: OngoingRun, { steps }: Segment): string | null {
  if (run.planned.action === 'up') return null
  return recordRevertedSql(context, run.runId, [...revertedBy(run), ...steps.map((step) => step.id)])
}

function revertedBy({ continued, planned, timings }: OngoingRun): readonly string[] {
  return planned.action === 'up' ? [] : [...(continued?.done ?? []), ...idsIn(timings, 'down')]
}

function idsIn(timings: readonly MigrationTiming[], direction: 'up' | 'down'): readonly string[] {
  return timings.filter((timing) => timing.direction === direction).map((timing) => timing.id)
}

function closingSql(context: EngineContext, run: OngoingRun): string {
  const { toHeads, ...outcome } = outcomeOf(run)
  return finishRunSql(context, {
    runId: run.runId,
    status: 'succeeded',
    toHeads,
    snapshot: run.snapshot,
    error: null,
    details: { outcome },
  })
}
