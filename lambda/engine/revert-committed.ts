import { messageOf } from '../errors.ts'
import type { EngineContext } from './context.ts'
import type { Connection } from './database.ts'
import { StepError } from './failure.ts'
import type { Migration } from './migration.ts'
import { clearProgressSql, type Progress } from './progress.ts'
import type { OngoingRun } from './ongoing-run.ts'
import { segmentsOf } from './segments.ts'
import { runSegment } from './segment-runner.ts'
import { resetSessionSql } from './session.ts'
import type { State } from './state.ts'
import { downStep, type Step } from './step.ts'
import type { StepRun } from './step-runner.ts'

export interface Reverted {
  /** In the order in which they were reverted. */
  readonly ids: readonly string[]
  /** A sentence on what could not be reverted; null when everything was. */
  readonly obstacle: string | null
}

/**
 * Reverts what a failed run had committed, newest first, by the downs. Stops at the first migration that cannot be
 * reverted: reverting what lies beneath it would leave a state that never was.
 */
export async function revertCommitted(
  context: EngineContext,
  connection: Connection,
  run: OngoingRun,
  found: State,
  partial: readonly Progress[],
): Promise<Reverted> {
  if (run.planned.action === 'down') return { ids: [], obstacle: null }
  const own = new Set(found.applied.filter((entry) => entry.runId === run.runId).map((entry) => entry.id))
  const begun = new Set(partial.map((progress) => progress.id))
  const migrations = run.planned.steps
    .filter((step) => own.has(step.id) || begun.has(step.id))
    .map((step) => step.migration)
    .toReversed()
  const { steps, obstacle } = downSteps(migrations)
  return runDowns(context, connection, { run, steps, obstacle, recorded: own })
}

function downSteps(migrations: readonly Migration[]): {
  readonly steps: readonly Step[]
  readonly obstacle: string | null
} {
  const steps: Step[] = []
  for (const migration of migrations) {
    try {
      steps.push(downStep(migration))
    } catch (error) {
      return { steps, obstacle: messageOf(error) }
    }
  }
  return { steps, obstacle: null }
}

async function runDowns(
  context: EngineContext,
  connection: Connection,
  work: {
    readonly run: OngoingRun
    readonly steps: readonly Step[]
    readonly obstacle: string | null
    /** Ids that the history has. */
    readonly recorded: ReadonlySet<string>
  },
): Promise<Reverted> {
  const stepRun: StepRun = {
    context,
    runId: work.run.runId,
    progress: [],
    // The run's own signal may be what failed it; the way back must still be gone.
    signal: new AbortController().signal,
    nextPosition: 0,
    historyLength: 0,
    deferrable: true,
    unrecorded: [],
  }
  const ids: string[] = []
  for (const segment of segmentsOf(work.steps, 'migration')) {
    try {
      await runSegment(connection, segment, stepRun, null)
      ids.push(...segment.steps.map((step) => step.id))
    } catch (error) {
      await afterFailedDown(
        context,
        connection,
        segment.steps.filter((step) => !work.recorded.has(step.id)),
        error,
      )
      return { ids, obstacle: `Reverting failed: ${messageOf(error)}.` }
    }
  }
  return { ids, obstacle: work.obstacle }
}

/**
 * The down of a half applied migration that failed half-way itself has made the recorded progress untrue: begin anew
 * next time.
 */
async function afterFailedDown(
  context: EngineContext,
  connection: Connection,
  steps: readonly Step[],
  error: unknown,
): Promise<void> {
  await connection.execute('ROLLBACK')
  await connection.execute(resetSessionSql(context))
  const [step] = steps
  const first = step?.kind === 'sql' ? step.statements[0] : undefined
  const wasBegun = error instanceof StepError && error.statement !== first
  if (step && !step.transactional && wasBegun) await connection.execute(clearProgressSql(context, step.id))
}
