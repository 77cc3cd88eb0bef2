import { LockstepError, UNTOUCHED } from '../../errors.ts'
import type { EngineContext } from '../context.ts'
import { continuedRun } from '../run/continued-run.ts'
import { changedParts, planHash, type PlanPart, type SnapshotSetting } from './plan-hash.ts'
import type { RunRecord, State } from '../history/state.ts'
import type { Step } from './step.ts'

/** The plan that a run must be, and no other. */
export interface ExpectedPlan {
  readonly hash: string
  /** The snapshot that this run would take. */
  readonly snapshot: SnapshotSetting
}

/** What a run is about to do. */
export interface Intended {
  readonly database: string
  readonly action: 'up' | 'down'
  readonly state: State
  readonly steps: readonly Step[]
}

/**
 * Compares what a run is about to do with the plan that was agreed to, if there is one; asked under the lock, before
 * anything is touched. A run that goes on, or that was begun by the same request, was compared when it began: what it has
 * done since is no change. Pure.
 *
 * @returns null: it may begin; or, when the last run has carried out this very plan, what is to be said instead of doing it again
 * @throws LockstepError `PLAN_CHANGED`.
 */
export function comparePlan(
  context: Pick<EngineContext, 'schema' | 'set' | 'scope'>,
  expected: ExpectedPlan | null | undefined,
  intended: Intended,
): string | null {
  const { state, action } = intended
  if (expected === null || expected === undefined || continuedRun(state, action) !== null) return null
  const now = planHash(context, { ...intended, snapshot: expected.snapshot })
  if (now === expected.hash) return null
  const last = state.lastRun
  if (last?.status === 'succeeded' && last.action === action && last.details['plan'] === expected.hash)
    return `The plan ${expected.hash} was carried out before, by the run ${last.runId}.`
  throw planChanged(expected.hash, now, intended)
}

/** What a run records of the plan that it was compared with. */
export function planDetails(expected: ExpectedPlan | null | undefined): { readonly plan?: string } {
  return expected === null || expected === undefined ? {} : { plan: expected.hash }
}

function planChanged(before: string, now: string, { action, database, state, steps }: Intended): LockstepError {
  const parts = changedParts(before, now)
  const changed =
    parts.length === 0 ? '' : ` Changed: ${parts.map((part) => describe(part, state.lastRun)).join('; ')}.`
  return new LockstepError({
    code: 'PLAN_CHANGED',
    message: `The plan ${before} is not what this run would do; that is ${now}.${changed} Now it would ${workOf(action, database, steps)}.`,
    state: UNTOUCHED,
    remedy: `Look at the plan again, with the settings of the run${action === 'down' ? ' and --down' : ''}, and give its hash if it is what you want.`,
  })
}

function describe(part: PlanPart, lastRun: RunRecord | null): string {
  switch (part) {
    case 'place':
      return 'the database, its history schema or the set'
    case 'history':
      return lastRun === null ? 'the history' : `the history (the last run: ${runText(lastRun)})`
    case 'steps':
      return 'the migrations that it would run, their texts or their transactions'
    case 'settings':
      return 'the transaction scope or the snapshot'
    default:
      return part satisfies never
  }
}

function runText({ action, runId, status, startedAt }: RunRecord): string {
  return `${action} ${runId}, ${status}, of ${startedAt.toISOString()}`
}

/** So many are named. */
const NAMED = 10

function workOf(action: 'up' | 'down', database: string, steps: readonly Step[]): string {
  if (steps.length === 0) return `do nothing on "${database}"`
  const named = steps.slice(0, NAMED).map(({ id }) => id)
  const more = steps.length > NAMED ? ` and ${steps.length - NAMED} more` : ''
  return `${action === 'up' ? 'apply' : 'revert'} ${named.join(', ')}${more} on "${database}"`
}
