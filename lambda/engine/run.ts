import type { RunResult } from '../contract.ts'
import { archiveCode } from './code-archive.ts'
import { cancelOnAbort } from './cancel-on-abort.ts'
import type { EngineContext } from './context.ts'
import { explained } from './explained.ts'
import { hasDeferrable } from './deferred-constraints.ts'
import { createHistory } from './history-schema.ts'
import { outcomeOf, succeeded, type OngoingRun, type PlannedRun } from './ongoing-run.ts'
import { recover } from './recover.ts'
import { finishRunSql, headsOf, startRunSql } from './run-record.ts'
import { segmentsOf } from './segments.ts'
import { runSegment } from './segment-runner.ts'
import type { Session } from './session.ts'
import type { StepRun } from './step-runner.ts'

/**
 * Does a planned run: record, snapshot, segments, commit. Never leaves the database between two states without saying
 * so: what fails is rolled back or reverted, and the result tells what is left.
 */
export async function executeRun(context: EngineContext, session: Session, planned: PlannedRun): Promise<RunResult> {
  const { connection } = session
  const runId = context.newRunId()
  const run: OngoingRun = {
    planned,
    runId,
    database: session.database,
    began: context.clock.monotonic(),
    timings: [],
    snapshot: null,
  }
  const fromHeads = headsOf(planned.state.applied)
  await explained(context.schema, async () => {
    if (!session.ready) await createHistory(connection, context.schema)
    await connection.execute(startRunSql(context, { ...planned, runId, fromHeads }))
  })
  const stopCancelling = cancelOnAbort(context, connection, planned.signal)
  try {
    run.snapshot = await takeSnapshot(context, run)
    await archiveCode(planned.archive, planned.steps)
    await runSegments(context, session, run)
    await stopCancelling()
    return succeeded(context, run)
  } catch (error) {
    context.log.error('the run failed; rolling back', { runId })
    await stopCancelling()
    return recover(context, session, run, error)
  }
}

async function takeSnapshot(context: EngineContext, { planned, runId }: OngoingRun): Promise<string | null> {
  if (planned.takeSnapshot === null) return null
  const began = context.clock.monotonic()
  context.log.info('taking a snapshot', { runId })
  const snapshot = await planned.takeSnapshot(runId)
  context.log.info('snapshot taken', { snapshot, durationMs: Math.round(context.clock.monotonic() - began) })
  return snapshot
}

async function runSegments(context: EngineContext, session: Session, run: OngoingRun): Promise<void> {
  const { planned, runId } = run
  const { connection } = session
  const stepRun: StepRun = {
    context,
    runId,
    progress: planned.state.progress,
    signal: planned.signal,
    nextPosition: (planned.state.applied.at(-1)?.position ?? 0) + 1,
    historyLength: planned.state.applied.length,
    deferrable: await hasDeferrable(connection),
    unrecorded: [],
  }
  const segments = segmentsOf(planned.steps, context.scope)
  for (const [index, segment] of segments.entries()) {
    const closing = index === segments.length - 1 ? closingSql(context, run) : null
    run.timings.push(...(await runSegment(connection, segment, stepRun, closing)))
  }
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
