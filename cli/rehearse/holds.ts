import { blocksReads, blocksWrites, modeName, type HeldLock, type Relation } from '../lint/observation.ts'
import { nameBefore } from './estimate.ts'
import type { RecordedStatement, Recording } from './recorder.ts'
import { lineOf } from './statement-text.ts'
import type { LockHold } from './rehearsal.ts'

type Hold = Omit<LockHold, 'bytes' | 'rows'> & { readonly lastsMs: number }

const TABLES = new Set<Relation['kind']>(['table', 'view', 'materialized view'])

/**
 * For each table that was there before, the lock that kept its readers, or else its writers, waiting for the longest. The
 * longest first. Pure.
 *
 * @param estimates - of each statement; null: its time was measured with rows
 */
export function holdsOf(recording: Recording, estimates: readonly number[] | null): readonly Hold[] {
  const longest = new Map<string, Hold>()
  for (const [index, statement] of recording.statements.entries()) {
    for (const lock of statement.observation?.locks ?? []) {
      if (!TABLES.has(lock.relation.kind) || !blocksWrites(lock.mode)) continue
      const hold = holdOf(recording, index, lock, estimates)
      const key = `${lock.relation.oid} ${hold.blocks}`
      if (hold.lastsMs >= (longest.get(key)?.lastsMs ?? 0)) longest.set(key, hold)
    }
  }
  const holds = [...longest.values()]
  return holds.filter((hold) => !isCovered(hold, holds)).toSorted((a, b) => b.lastsMs - a.lastsMs)
}

/** Who waits to read waits to write as well. */
function isCovered(hold: Hold, all: readonly Hold[]): boolean {
  if (hold.blocks === 'reads and writes') return false
  return all.some(
    (other) => other.blocks === 'reads and writes' && other.relation === hold.relation && other.lastsMs >= hold.lastsMs,
  )
}

function holdOf(
  recording: Recording,
  index: number,
  { relation, mode }: HeldLock,
  estimates: readonly number[] | null,
): Hold {
  const { statements, ends } = recording
  const statement = statements[index] as RecordedStatement
  const end = ends.get(statement.transaction) ?? statement.beganMs + statement.durationMs
  const heldMs = end - statement.beganMs
  const estimated = (estimates ?? []).reduce(
    (sum, ms, at) => (at >= index && statements[at]?.transaction === statement.transaction ? sum + ms : sum),
    0,
  )
  return {
    relation: nameBefore(recording, relation),
    mode: modeName(mode),
    blocks: blocksReads(mode) ? 'reads and writes' : 'writes',
    heldMs,
    estimatedMs: estimates === null ? null : heldMs + estimated,
    lastsMs: heldMs + estimated,
    migration: statement.at.step.id,
    line: lineOf(statement.at),
  }
}
