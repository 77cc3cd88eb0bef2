import type { ChaosServer } from './chaos-server.ts'
import { differences, fingerprint, withoutInvalidIndexes } from './fingerprint.ts'
import type { GeneratedMigration } from './migration-set.ts'

/** What a database holds and says of itself. */
export interface Observation {
  readonly lines: readonly string[]
  /** Ids in the history, by position. */
  readonly applied: readonly string[]
  readonly positions: readonly number[]
  /** Migrations outside of a transaction that are under way. */
  readonly progress: readonly {
    readonly id: string
    readonly direction: 'up' | 'down'
    readonly done: number
    /** Whether the statement after those has run is not known. */
    readonly inFlight: boolean
  }[]
  readonly runs: readonly { readonly id: string; readonly status: string; readonly request: string | null }[]
  /** Of the applied ones, by position: the run that did it. */
  readonly appliedBy: readonly string[]
}

const READY_SQL = `SELECT to_regclass('lockstep.migrations') IS NOT NULL AS ready`

const HISTORY_SQL = `SELECT
  (SELECT coalesce(jsonb_agg(id ORDER BY position), '[]') FROM lockstep.migrations) AS applied,
  (SELECT coalesce(jsonb_agg(position ORDER BY position), '[]') FROM lockstep.migrations) AS positions,
  (SELECT coalesce(jsonb_agg(run_id ORDER BY position), '[]') FROM lockstep.migrations) AS "appliedBy",
  (SELECT coalesce(jsonb_agg(jsonb_build_object('id', id, 'direction', direction,
     'done', statements_done, 'inFlight', in_flight)), '[]') FROM lockstep.progress) AS progress,
  (SELECT coalesce(jsonb_agg(jsonb_build_object('id', run_id, 'status', status, 'request', request_id) ORDER BY started_at), '[]')
     FROM lockstep.runs) AS runs`

const EMPTY = { applied: [], positions: [], appliedBy: [], progress: [], runs: [] }

/** Looks at a database from a session of its own. */
export async function observe(server: ChaosServer, database: string): Promise<Observation> {
  const [ready] = await server.query(database, READY_SQL)
  const [history] = ready?.ready === true ? await server.query(database, HISTORY_SQL) : []
  const lines = await fingerprint(server, database)
  return { ...EMPTY, ...(history as Omit<Observation, 'lines'> | undefined), lines }
}

/** Complaints about a history that cannot be true, whatever happened. */
export function historyFaults(observation: Observation, set: readonly GeneratedMigration[]): readonly string[] {
  const { applied, positions, progress, runs } = observation
  const isPrefix = applied.every((id, index) => id === set[index]?.id)
  const isContiguous = positions.every((position, index) => position === index + 1)
  // The next one on its way up, or the last one on its way down: no other can be half done.
  const misplaced = progress.filter(
    ({ id, direction }) => id !== set[applied.length - (direction === 'down' ? 1 : 0)]?.id,
  )
  const running = runs.filter(({ status }) => status === 'running')
  return [
    ...(isPrefix ? [] : [`the history is not a prefix of the set: ${applied.join(', ')}`]),
    ...(isContiguous ? [] : [`the positions are not contiguous: ${positions.join(', ')}`]),
    ...misplaced.map(
      ({ id, direction }) => `the ${direction} of ${id} is said to be under way at ${applied.length} applied`,
    ),
    ...(progress.length <= 1 ? [] : [`${progress.length} migrations are said to be under way`]),
    ...(running.length <= 1 ? [] : [`${running.length} runs are said to be running`]),
  ]
}

/** Whether two observations are of the same state, but for what a broken concurrent build has left. */
export function isSamePlace(one: Observation, other: Observation): boolean {
  const different = differences(withoutInvalidIndexes(one.lines), withoutInvalidIndexes(other.lines))
  return different.length === 0 && one.applied.join() === other.applied.join()
}

/** Whether a run left a database where it found it. What another run had begun and not ended may be gone as well. */
export function isTakenBack(before: Observation, after: Observation): boolean {
  const isSettled = before.progress.length > 0 && after.progress.length === 0
  return isSamePlace(before, after) || (isSettled && before.applied.join() === after.applied.join())
}
