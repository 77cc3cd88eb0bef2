import type { EngineContext } from '../context.ts'
import type { Connection } from '../database.ts'
import { historyReadySql, historyTables } from '../history/history-schema.ts'
import { holderPidSql, lockKey } from '../lock/lock.ts'

/**
 * Ends the run that a rollback takes back, if that is what holds the lock: CloudFormation does not wait for a custom
 * resource once another one has failed. Its session is ended, so that nothing of an open transaction stays, and what it
 * had committed is this rollback's to revert. Any other run is waited for, and so is this rollback itself where its
 * event was delivered twice.
 *
 * @returns true: a rollback waits for the lock as long as there is time
 */
export async function endRunTakenBack(
  context: EngineContext,
  connection: Connection,
  { resource, requestId = null }: { readonly resource: string; readonly requestId?: string | null },
): Promise<true> {
  if (!(await isReady(context, connection))) return true
  const { rows } = await connection.query(endSql(context), [context.set, resource, requestId])
  if (rows.length > 0)
    context.log.warn('the deployment that is rolled back is still at work; its session is ended', {
      runId: String(rows[0]?.run_id),
    })
  return true
}

/** Whether an earlier delivery of the same request is at work: its answer is worth waiting for, and is this one's too. */
export async function isDeliveredTwice(
  context: EngineContext,
  connection: Connection,
  requestId: string | null = null,
): Promise<boolean> {
  if (requestId === null || !(await isReady(context, connection))) return false
  const { runs } = historyTables(context.schema)
  const { rows } = await connection.query(
    `SELECT 1 FROM ${runs} WHERE "set" = $1 AND request_id = $2 AND status = 'running' AND ${NOT_PAUSED}`,
    [context.set, requestId],
  )
  return rows.length > 0
}

async function isReady(context: EngineContext, connection: Connection): Promise<boolean> {
  const { rows } = await connection.query(`SELECT ${historyReadySql(context.schema)} AS ready`)
  return rows[0]?.ready === true
}

/** A paused run holds no lock: whoever does is another one, which has not written its record yet. */
const NOT_PAUSED = "NOT details ? 'pausedAtMs'"

/** The holder is this resource's run when the set's latest record is, and is still open. */
function endSql(context: Pick<EngineContext, 'schema' | 'set'>): string {
  const { runs } = historyTables(context.schema)
  return `WITH latest AS (
  SELECT run_id, request_id, status, details FROM ${runs} WHERE "set" = $1 ORDER BY started_at DESC LIMIT 1
)
SELECT latest.run_id, pg_catalog.pg_terminate_backend(holder.pid) AS ended
FROM latest, (${holderPidSql(lockKey(context.schema, context.set))}) holder
WHERE latest.status = 'running' AND ${NOT_PAUSED} AND latest.details ->> 'resource' = $2
  AND latest.request_id IS DISTINCT FROM $3`
}
