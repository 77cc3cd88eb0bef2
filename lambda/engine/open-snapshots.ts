import { quoteLiteral, type Connection } from './database.ts'
import { historyTables } from './history-schema.ts'

/**
 * Snapshots of runs, of any set, that have not come to an end: whoever goes on with them may restore them.
 *
 * @param since - of runs that began before, nothing is restored any more
 */
export async function openSnapshots(connection: Connection, schema: string, since: Date): Promise<readonly string[]> {
  const { runs } = historyTables(schema)
  const ready = await connection.query(`SELECT pg_catalog.to_regclass(${quoteLiteral(runs)}) IS NOT NULL AS ready`)
  if (ready.rows[0]?.ready !== true) return []
  const { rows } = await connection.query(
    `SELECT snapshot_uri FROM ${runs}
WHERE status IN ('running', 'interrupted') AND snapshot_uri IS NOT NULL AND started_at >= $1`,
    [since.toISOString()],
  )
  return rows.map((row) => String(row.snapshot_uri))
}
