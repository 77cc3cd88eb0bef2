import type { DriftDifference } from '../../drift-contract.ts'
import type { EngineContext } from '../context.ts'
import type { Connection } from '../database.ts'
import { driftBetween } from './difference.ts'
import { readHistoryMark, readMoment } from './moment.ts'
import { readAt, readRecord, unpacked, whyStale, whyUnreadable, type StructureRecord } from './record.ts'

/** What is known of the live schema against what the last run has left. */
export type Drift =
  /** Lockstep has never changed anything here. */
  | { readonly kind: 'untouched' }
  /** Nothing can be said. */
  | { readonly kind: 'unknown'; readonly why: string }
  | {
      readonly kind: 'compared'
      readonly record: Pick<StructureRecord, 'runId' | 'recordedAt'>
      readonly differences: readonly DriftDifference[]
    }

/**
 * Compares the live schema with what the last run, of whatever set, has left. Reads only. What keeps it from comparing is
 * never taken for a difference.
 *
 * @throws ConnectionLostError
 */
export async function findDrift({ schema }: Pick<EngineContext, 'schema'>, connection: Connection): Promise<Drift> {
  try {
    return await compare(schema, connection)
  } catch (error) {
    const why = whyUnreadable(error)
    if (why === null) throw error
    return { kind: 'unknown', why }
  }
}

async function compare(schema: string, connection: Connection): Promise<Drift> {
  const moment = await readMoment(connection, schema)
  if (!moment.own.includes(schema)) return { kind: 'untouched' }
  const record = moment.isKept ? await readRecord(connection, schema) : null
  const mark = await readHistoryMark(connection, moment.own)
  if (record === null)
    return mark.isEmpty ? { kind: 'untouched' } : { kind: 'unknown', why: 'no run has recorded what it left' }
  const stale = whyStale(record, moment, mark)
  if (stale !== null) return { kind: 'unknown', why: stale }
  const { catalog, mark: after } = await readAt(connection, moment)
  if (after.mark !== mark.mark) return { kind: 'unknown', why: 'a run of another set was at work in the same moment' }
  return { kind: 'compared', record, differences: driftBetween(unpacked(record.facts), catalog) }
}
