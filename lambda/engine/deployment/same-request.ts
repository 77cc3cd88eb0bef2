import type { RunResult } from '../../contract.ts'
import type { EngineContext } from '../context.ts'
import type { State } from '../history/state.ts'

interface RecordedOutcome {
  readonly applied: readonly string[]
  readonly reverted: readonly string[]
  readonly current: string | null
}

/**
 * The answer that an earlier delivery of the same request got, from its record. Null when there was none, or when it
 * was killed before it had one: then the request is done anew, and what it had committed is not applied twice.
 */
export function earlierAnswer(context: EngineContext, database: string, state: State): RunResult | null {
  const record = state.sameRequest
  if (record === null || (record.status !== 'succeeded' && record.status !== 'failed')) return null
  context.log.info('this request was answered before; giving the same answer', { runId: record.runId })
  const outcome = (record.details.outcome ?? {}) as Partial<RecordedOutcome>
  const base = {
    action: record.action === 'down' ? ('down' as const) : ('up' as const),
    database,
    set: context.set,
    runId: record.runId,
    applied: outcome.applied ?? [],
    reverted: outcome.reverted ?? [],
    current: outcome.current ?? null,
    snapshot: record.snapshotUri,
    migrations: [],
    durationMs: record.finishedAt === null ? 0 : record.finishedAt.getTime() - record.startedAt.getTime(),
    warnings: [],
  }
  if (record.status === 'succeeded' || record.error === null) return { ...base, status: 'succeeded' }
  return { ...base, status: 'failed', error: record.error, rolledBack: record.details.rolledBack === true }
}
