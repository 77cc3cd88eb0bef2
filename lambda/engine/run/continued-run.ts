import type { ErrorReport } from '../../contract.ts'
import type { State } from '../history/state.ts'

/** What earlier invocations did of a run: one request is one run, however many invocations or deliveries it takes. */
export interface ContinuedRun {
  readonly runId: string
  /** The snapshot that the first of them took. */
  readonly snapshot: string | null
  /** Ids that they applied (or, in a down, reverted) and committed, in that order. */
  readonly done: readonly string[]
  /** The step that was cut off at the end of an invocation, and gets the next one for itself. */
  readonly pauseBefore: string | null
  /** What the run failed of; null while it may still succeed. What is left to do then is to take it back. */
  readonly failure: ErrorReport | null
}

/**
 * The run that this request began before and that has no end yet: it was paused because its invocation's time was over,
 * or its process was killed. Its work stays its own, so that a failure now takes back all of it. Pure.
 */
export function continuedRun(state: State, action: 'up' | 'down'): ContinuedRun | null {
  const record = state.sameRequest
  if (record === null || record.action !== action) return null
  if (record.status !== 'running' && record.status !== 'interrupted') return null
  const applied = state.applied.filter((entry) => entry.runId === record.runId).map((entry) => entry.id)
  const reverted = (record.details['reverted'] ?? []) as readonly string[]
  return {
    runId: record.runId,
    snapshot: record.snapshotUri,
    done: action === 'up' ? applied : reverted,
    pauseBefore: (record.details['pauseBefore'] ?? null) as string | null,
    failure: (record.details['failure'] ?? null) as ErrorReport | null,
  }
}
