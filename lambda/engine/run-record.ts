import type { ErrorReport } from '../contract.ts'
import type { EngineContext } from './context.ts'
import { quoteLiteral } from './database.ts'
import { historyTables } from './history-schema.ts'
import type { AppliedMigration } from './state.ts'

type Keeper = Pick<EngineContext, 'schema' | 'set' | 'trigger' | 'clock'>

/** Facts of a run beside its outcome: resource, hashes, caller. */
export type RunDetails = Readonly<Record<string, unknown>>

/**
 * The statements that open a run's record. Whoever holds the lock knows that every other run of the set that still
 * says "running" is dead: it becomes "interrupted". A retry of the same request takes the request id over.
 */
export function startRunSql(
  context: Keeper,
  run: {
    readonly runId: string
    readonly requestId: string | null
    readonly action: 'up' | 'down'
    readonly fromHeads: readonly string[]
    readonly details: RunDetails
  },
): string {
  const { runs } = historyTables(context.schema)
  const set = quoteLiteral(context.set)
  const now = quoteLiteral(context.clock.now().toISOString())
  const request = run.requestId === null ? 'NULL' : quoteLiteral(run.requestId)
  return `UPDATE ${runs} SET
  status = CASE WHEN status = 'running' THEN 'interrupted' ELSE status END,
  finished_at = coalesce(finished_at, ${now}),
  details = details || pg_catalog.jsonb_build_object('requestId', request_id),
  request_id = CASE WHEN request_id = ${request} THEN NULL ELSE request_id END
WHERE "set" = ${set} AND (status = 'running' OR request_id = ${request});
INSERT INTO ${runs} (run_id, "set", request_id, trigger, action, from_heads, status, started_at, details)
VALUES (${quoteLiteral(run.runId)}, ${set}, ${request}, ${quoteLiteral(context.trigger)}, ${quoteLiteral(run.action)},
  ${textArray(run.fromHeads)}, 'running', ${now}, ${json(run.details)})`
}

/** The statement that closes a run's record. In the last transaction of a run it commits with the migrations. */
export function finishRunSql(
  context: Keeper,
  run: {
    readonly runId: string
    readonly status: 'succeeded' | 'failed'
    readonly toHeads: readonly string[]
    readonly snapshot: string | null
    readonly error: ErrorReport | null
    readonly details: RunDetails
  },
): string {
  return `UPDATE ${historyTables(context.schema).runs} SET status = ${quoteLiteral(run.status)},
  finished_at = ${quoteLiteral(context.clock.now().toISOString())},
  to_heads = ${textArray(run.toHeads)},
  snapshot_uri = ${run.snapshot === null ? 'NULL' : quoteLiteral(run.snapshot)},
  error = ${run.error === null ? 'NULL' : json(run.error)},
  details = details || ${json(run.details)}
WHERE run_id = ${quoteLiteral(run.runId)}`
}

function textArray(texts: readonly string[]): string {
  return `ARRAY[${texts.map(quoteLiteral).join(', ')}]::text[]`
}

/** PostgreSQL's jsonb refuses the NUL character that JSON can carry. */
function json(value: unknown): string {
  return `${quoteLiteral(JSON.stringify(value).replaceAll('\\u0000', ''))}::jsonb`
}

/** Applied migrations that no applied migration comes after. */
export function headsOf(applied: readonly Pick<AppliedMigration, 'id' | 'parents'>[]): readonly string[] {
  const withChildren = new Set(applied.flatMap((entry) => entry.parents))
  return applied.map((entry) => entry.id).filter((id) => !withChildren.has(id))
}
