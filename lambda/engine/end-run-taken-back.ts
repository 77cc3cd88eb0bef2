import type { EngineContext } from './context.ts'
import type { Connection } from './database.ts'
import { historyReadySql, historyTables } from './history-schema.ts'
import { holderPidSql, lockKey } from './lock.ts'

/**
 * Ends the run that a rollback takes back, if that is what holds the lock: CloudFormation does not wait for a custom
 * resource once another one has failed. Its session is ended, so that nothing of an open transaction stays, and what it
 * had committed is this rollback's to revert. Any other run is waited for.
 *
 * @returns true: a rollback waits for the lock as long as there is time
 */
export async function endRunTakenBack(context: EngineContext, connection: Connection, resource: string): Promise<true> {
  const ready = await connection.query(`SELECT ${historyReadySql(context.schema)} AS ready`)
  if (ready.rows[0]?.ready !== true) return true
  const { rows } = await connection.query(endSql(context), [context.set, resource])
  if (rows.length > 0)
    context.log.warn('the deployment that is rolled back is still at work; its session is ended', {
      runId: String(rows[0]?.run_id),
    })
  return true
}

/** The holder is this resource's run when the set's latest record is, and is still open. */
function endSql(context: Pick<EngineContext, 'schema' | 'set'>): string {
  const { runs } = historyTables(context.schema)
  return `WITH latest AS (
  SELECT run_id, status, details FROM ${runs} WHERE "set" = $1 ORDER BY started_at DESC LIMIT 1
)
SELECT latest.run_id, pg_catalog.pg_terminate_backend(holder.pid) AS ended
FROM latest, (${holderPidSql(lockKey(context.schema, context.set))}) holder
WHERE latest.status = 'running' AND latest.details ->> 'resource' = $2`
}
