import { quoteLiteral, type Connection } from '../database.ts'
import { historyTables } from './history-schema.ts'

/** A run that has not come to an end: whoever goes on with it may restore its snapshot. */
export interface OpenRun {
  readonly runId: string
  /** Null: none, or one that has been taken, but not recorded yet. */
  readonly snapshot: string | null
}

/**
 * Runs of any set that have not come to an end.
 *
 * @param since - of runs that began before, nothing is restored any more
 */
export async function openRuns(connection: Connection, schema: string, since: Date): Promise<readonly OpenRun[]> {
  const { runs } = historyTables(schema)
  const ready = await connection.query(`SELECT pg_catalog.to_regclass(${quoteLiteral(runs)}) IS NOT NULL AS ready`)
  if (ready.rows[0]?.ready !== true) return []
  const { rows } = await connection.query(
    `SELECT run_id, snapshot_uri FROM ${runs} WHERE status IN ('running', 'interrupted') AND started_at >= $1`,
    [since.toISOString()],
  )
  return rows.map((row) => ({ runId: String(row.run_id), snapshot: row.snapshot_uri as string | null }))
}
