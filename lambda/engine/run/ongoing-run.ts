import type { ErrorReport, MigrationTiming, RunResult } from '../../contract.ts'
import type { CodeArchive } from '../migration/code-archive.ts'
import type { EngineContext } from '../context.ts'
import type { ContinuedRun } from './continued-run.ts'
import type { Migration } from '../migration/migration.ts'
import type { RestoreSnapshot } from '../failure/restorable.ts'
import { headsOf, type RunDetails } from '../history/run-record.ts'
import type { State } from '../history/state.ts'
import type { Step } from '../plan/step.ts'
import { currentOf } from '../migration/repeatable.ts'

/**
 * Takes a complete, verified snapshot before the first of these steps and gives its URI, or null when it may be done
 * without. Throws `Paused` while it is in the making and another invocation will follow, which asks again.
 */
export type TakeSnapshot = (runId: string, steps: readonly Step[]) => Promise<string | null>

/** A run whose steps are planned and ready, on a session that holds the lock. */
export interface PlannedRun {
  readonly action: 'up' | 'down'
  /** In the order in which they run. Empty: all is done, or is to be taken back. */
  readonly steps: readonly Step[]
  /** Every migration that has a file. */
  readonly migrations: readonly Migration[]
  readonly state: State
  readonly requestId: string | null
  readonly details: RunDetails
  readonly warnings: readonly string[]
  /** Null: none is wanted. */
  readonly takeSnapshot: TakeSnapshot | null
  /** What a failure does that leaves something behind. Null: nothing but to say so. */
  readonly restoreSnapshot: RestoreSnapshot | null
  readonly archive: CodeArchive | null
  readonly signal: AbortSignal
}

/** A run that has begun: what recovery needs to know of it. */
export interface OngoingRun {
  readonly planned: PlannedRun
  /** Null: this invocation is the run's first. */
  readonly continued: ContinuedRun | null
  readonly runId: string
  readonly database: string
  readonly began: number
  readonly timings: MigrationTiming[]
  snapshot: string | null
  /** How long taking the snapshot took; null when this invocation has not taken it. Milliseconds. */
  snapshotMs: number | null
}

/** What a run says of itself when it has succeeded; kept in its record for a second delivery of the same request. */
export interface Outcome {
  readonly applied: readonly string[]
  readonly reverted: readonly string[]
  readonly current: string | null
}

interface Decided extends Pick<OngoingRun, 'continued'> {
  readonly planned: Pick<PlannedRun, 'action' | 'steps' | 'state'>
}

/** Everything that the run does, in all its invocations. */
export function idsOf({ planned, continued }: Decided): readonly string[] {
  return [...(continued?.done ?? []), ...planned.steps.map((step) => step.id)]
}

export function outcomeOf(run: Decided): Outcome & { readonly toHeads: readonly string[] } {
  const { planned } = run
  const ids = idsOf(run)
  if (planned.action === 'down') {
    const left = planned.state.applied.filter((entry) => !ids.includes(entry.id))
    return { applied: [], reverted: ids, current: currentOf(left)?.id ?? null, toHeads: headsOf(left) }
  }
  const all = [...planned.state.applied, ...planned.steps.map(({ id, parents }) => ({ id, parents }))]
  return { applied: ids, reverted: [], current: currentOf(all)?.id ?? null, toHeads: headsOf(all) }
}

export function succeeded(context: EngineContext, run: OngoingRun): RunResult {
  const { applied, reverted, current } = outcomeOf(run)
  return { ...resultBase(context, run), status: 'succeeded', applied, reverted, current }
}

/** What this invocation did of a run that a later one continues. */
export function paused(context: EngineContext, run: OngoingRun): RunResult {
  const isUp = run.planned.action === 'up'
  const done = [...(run.continued?.done ?? []), ...run.timings.map((timing) => timing.id)]
  const current = isUp ? (currentOf(done.map((id) => ({ id })))?.id ?? null) : null
  return {
    ...resultBase(context, run),
    status: 'paused',
    applied: isUp ? done : [],
    reverted: isUp ? [] : done,
    current,
  }
}

export function failed(
  context: EngineContext,
  run: OngoingRun,
  found: Outcome & { readonly error: ErrorReport; readonly rolledBack: boolean },
): RunResult {
  return { ...resultBase(context, run), status: 'failed', ...found }
}

function resultBase(context: EngineContext, run: OngoingRun) {
  return {
    action: run.planned.action,
    database: run.database,
    set: context.set,
    runId: run.runId,
    snapshot: run.snapshot,
    migrations: run.timings,
    durationMs: Math.round(context.clock.monotonic() - run.began),
    warnings: run.planned.warnings,
  }
}
