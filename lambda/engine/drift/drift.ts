import type { RunDriftResult } from '../../drift-contract.ts'
import type { EngineContext } from '../context.ts'
import { findDrift } from './find-drift.ts'

/**
 * The live schema against what the last run has left. Touches nothing.
 *
 * @throws LockstepError `DATABASE_UNREACHABLE`.
 */
export async function drift(context: Pick<EngineContext, 'connect' | 'schema' | 'set'>): Promise<RunDriftResult> {
  const connection = await context.connect()
  try {
    const { rows } = await connection.query('SELECT pg_catalog.current_database() AS database')
    const found = await findDrift(context, connection)
    const base = { database: String(rows[0]?.database), set: context.set, against: 'last run' as const }
    if (found.kind !== 'compared') {
      const unknown = found.kind === 'unknown' ? found.why : 'Lockstep has never changed anything in this database'
      return { ...base, runId: null, recordedAt: null, unknown, differences: [] }
    }
    const { record, differences } = found
    return { ...base, runId: record.runId, recordedAt: record.recordedAt.toISOString(), unknown: null, differences }
  } finally {
    await connection.close()
  }
}
