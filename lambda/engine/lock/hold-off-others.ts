import type { EngineContext } from '../context.ts'
import type { Connection } from '../database.ts'
import { historyTables } from '../history/history-schema.ts'
import { lockKey } from './lock.ts'

/**
 * Before the whole database is put back to what it was when the run began: takes the locks of its other sets, which go
 * with the session, and makes sure that no other run has changed it since. Gives what is in the way; null: nothing.
 */
export async function holdOffOthers(
  connection: Connection,
  context: Pick<EngineContext, 'schema'>,
  own: { readonly runId: string; readonly set: string },
): Promise<string | null> {
  const busy = await lockSets(connection, context, own.set)
  if (busy !== null) return `a run of the set "${busy}" is under way on the same database`
  const { runs } = historyTables(context.schema)
  const { rows } = await connection.query(
    `SELECT other."set" FROM ${runs} other JOIN ${runs} own ON own.run_id = $1
WHERE other.run_id <> own.run_id AND (other.started_at > own.started_at
  OR other.status IN ('succeeded', 'failed') AND other.finished_at > own.started_at) LIMIT 1`,
    [own.runId],
  )
  const [later] = rows
  return later === undefined ? null : `another run, of the set "${String(later.set)}", has been at the database since`
}

/** Gives the set whose lock another session holds; null when all are ours. */
async function lockSets(
  connection: Connection,
  context: Pick<EngineContext, 'schema'>,
  ownSet: string,
): Promise<string | null> {
  const { rows } = await connection.query(
    `SELECT DISTINCT "set" FROM ${historyTables(context.schema).runs} WHERE "set" <> $1`,
    [ownSet],
  )
  for (const set of rows.map((row) => String(row.set))) {
    const result = await connection.query('SELECT pg_catalog.pg_try_advisory_lock($1::bigint) AS locked', [
      lockKey(context.schema, set),
    ])
    if (result.rows[0]?.locked !== true) return set
  }
  return null
}
