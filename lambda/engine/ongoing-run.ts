import type { ErrorReport, MigrationTiming, RunResult } from '../contract.ts'
import type { CodeArchive } from './code-archive.ts'
import type { EngineContext } from './context.ts'
import { headsOf, type RunDetails } from './run-record.ts'
import type { State } from './state.ts'
import type { Step } from './step.ts'

/** A run whose steps are planned and ready, on a session that holds the lock. */
export interface PlannedRun {
  readonly action: 'up' | 'down'
  /** Not empty; in the order in which they run. */
  readonly steps: readonly Step[]
  readonly state: State
  readonly requestId: string | null
  readonly details: RunDetails
  readonly warnings: readonly string[]
  /** Takes a complete, verified snapshot and gives its URI, or null when it may be done without. Null: none is wanted. */
  readonly takeSnapshot: ((runId: string) => Promise<string | null>) | null
  readonly archive: CodeArchive | null
  readonly signal: AbortSignal
}

/** A run that has begun: what recovery needs to know of it. */
export interface OngoingRun {
  readonly planned: PlannedRun
  readonly runId: string
  readonly database: string
  readonly began: number
  readonly timings: MigrationTiming[]
  snapshot: string | null
}

/** What a run says of itself when it has succeeded; kept in its record for a second delivery of the same request. */
export interface Outcome {
  readonly applied: readonly string[]
  readonly reverted: readonly string[]
  readonly current: string | null
}

export function outcomeOf({ planned }: OngoingRun): Outcome & { readonly toHeads: readonly string[] } {
  const ids = planned.steps.map((step) => step.id)
  if (planned.action === 'down') {
    const left = planned.state.applied.filter((entry) => !ids.includes(entry.id))
    return { applied: [], reverted: ids, current: left.at(-1)?.id ?? null, toHeads: headsOf(left) }
  }
  const all = [...planned.state.applied, ...planned.steps.map(({ id, parents }) => ({ id, parents }))]
  return { applied: ids, reverted: [], current: ids.at(-1) ?? null, toHeads: headsOf(all) }
}

export function succeeded(context: EngineContext, run: OngoingRun): RunResult {
  const { applied, reverted, current } = outcomeOf(run)
  return { ...resultBase(context, run), status: 'succeeded', applied, reverted, current }
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
