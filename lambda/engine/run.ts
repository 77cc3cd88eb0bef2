import type { RunResult } from '../contract.ts'
import type { EngineContext } from './context.ts'
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
  if (!session.ready) await createHistory(connection, context.schema)
  const fromHeads = headsOf(planned.state.applied)
  await connection.execute(startRunSql(context, { ...planned, runId, fromHeads }))
  try {
    run.snapshot = (await planned.takeSnapshot?.(runId)) ?? null
    await runSegments(context, session, run)
    return succeeded(context, run)
  } catch (error) {
    context.log.error('the run failed', { runId })
    return recover(context, session, run, error)
  }
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
    deferrable: await hasDeferrable(connection),
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
