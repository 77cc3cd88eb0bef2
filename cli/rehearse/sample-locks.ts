import { setTimeout as delay } from 'node:timers/promises'
import type { Connection } from '../../lambda/engine/database.ts'
import { LOCK_MODES, modeRank, type LockMode } from '../lint/observation.ts'

/** The strongest lock that a session was seen to hold on a relation. */
export interface SampledLock {
  readonly oid: number
  readonly mode: LockMode
}

/** At first without a pause: on a small table it is over in a moment. */
const EAGER_MS = 250
const EVERY_MS = 10

const HELD = `SELECT relation::bigint AS oid, mode FROM pg_catalog.pg_locks
WHERE pid = $1 AND locktype = 'relation' AND granted AND relation >= 16384
  AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())`

/**
 * Looks again and again which locks another session holds, for a statement that gives them back when it ends. What is
 * held for an instant only may not be seen.
 *
 * @param inspection - a session that nobody else uses meanwhile
 */
export function sampleLocks(
  inspection: Connection,
  processId: number,
): { readonly stop: () => Promise<readonly SampledLock[]> } {
  const seen = new Map<number, LockMode>()
  const stopping = new AbortController()
  const look = async (): Promise<void> => {
    const began = performance.now()
    while (!stopping.signal.aborted) {
      const { rows } = await inspection.query(HELD, [processId])
      for (const row of rows) note(seen, Number(row.oid), String(row.mode))
      if (performance.now() - began > EAGER_MS) await delay(EVERY_MS)
    }
  }
  const looking = look().catch(() => {})
  return {
    stop: async () => {
      stopping.abort()
      await looking
      return [...seen].map(([oid, mode]) => ({ oid, mode }))
    },
  }
}

function note(seen: Map<number, LockMode>, oid: number, text: string): void {
  const mode = LOCK_MODES.find((known) => known === text)
  const known = seen.get(oid)
  if (mode !== undefined && (known === undefined || modeRank(mode) > modeRank(known))) seen.set(oid, mode)
}
