import { messageOf } from '../../errors.ts'
import type { EngineContext } from '../context.ts'
import type { Connection } from '../database.ts'
import { noLockWaits } from '../lock/lock-budget.ts'
import type { Migration } from '../migration/migration.ts'
import type { Progress } from '../history/progress.ts'
import type { OngoingRun } from '../run/ongoing-run.ts'
import { segmentsOf } from '../plan/segments.ts'
import { runSegment, type Closing } from '../run/segment-runner.ts'
import { resetSessionSql } from '../session/session.ts'
import type { State } from '../history/state.ts'
import { downStep, type Step } from '../plan/step.ts'
import type { StepRun } from '../run/step-runner.ts'
import { undoPartial } from './undo-partial.ts'

/** The run's record is closed when all of it is reverted. */
const NOT_CLOSING: Closing = { whole: null, paused: () => 'SELECT' }

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
  const undone: string[] = []
  for (const progress of partial.filter(({ direction }) => direction === 'up')) {
    const step = run.planned.steps.find(({ id }) => id === progress.id)
    // Its state is told by its progress; what lies beneath it stays.
    if (step === undefined || !(await undoPartial(context, connection, step, progress)))
      return { ids: undone, obstacle: null }
    undone.push(step.id)
  }
  const { ids, beneath } = ownOf(run, found.applied)
  const { steps, obstacle } = downSteps(ids.map((id) => migrationOf(run, id)))
  const reverted = await runDowns(context, connection, { run, steps, obstacle: obstacle ?? beneath, progress: partial })
  return { ...reverted, ids: [...undone, ...reverted.ids] }
}

/** What the run has applied, newest first; why not all of it, when another run has come between its invocations. */
function ownOf(
  { runId }: OngoingRun,
  applied: State['applied'],
): { readonly ids: readonly string[]; readonly beneath: string | null } {
  const last = applied.findLastIndex((entry) => entry.runId !== runId)
  const covered = applied.slice(0, last).findLast((entry) => entry.runId === runId)
  return {
    ids: applied
      .slice(last + 1)
      .toReversed()
      .map(({ id }) => id),
    beneath: covered ? `${applied[last]?.id} was applied on top of ${covered.id} by another run.` : null,
  }
}

/** What an earlier invocation of the run applied is not among the steps, but among the files; a repeatable never is. */
function migrationOf({ planned }: OngoingRun, id: string): Migration {
  const migration =
    planned.migrations.find((candidate) => candidate.id === id) ??
    planned.steps.find((step) => step.id === id)?.migration
  if (migration === undefined) throw new Error(`${id} was applied by this run, but has no file`)
  return migration
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

interface Work {
  readonly run: OngoingRun
  readonly steps: readonly Step[]
  readonly obstacle: string | null
  /** How far a down has come whose process was killed. */
  readonly progress: readonly Progress[]
}

async function runDowns(context: EngineContext, connection: Connection, work: Work): Promise<Reverted> {
  const stepRun: StepRun = {
    // A run that has failed is not continued.
    context: { ...context, shouldPause: () => false },
    runId: work.run.runId,
    progress: work.progress,
    // The run's own signal may be what failed it; the way back must still be gone.
    signal: new AbortController().signal,
    nextPosition: 0,
    required: new Set(),
    historyLength: 0,
    deferrable: true,
    progressed: false,
    pauseBefore: null,
    unrecorded: [],
    lockWaits: noLockWaits(),
  }
  const ids: string[] = []
  for (const segment of segmentsOf(work.steps, 'migration')) {
    try {
      await runSegment(connection, segment, stepRun, NOT_CLOSING)
      ids.push(...segment.steps.map((step) => step.id))
    } catch (error) {
      await connection.execute('ROLLBACK')
      await connection.execute(resetSessionSql(context))
      return { ids, obstacle: `Reverting failed: ${messageOf(error)}.` }
    }
  }
  return { ids, obstacle: work.obstacle }
}
