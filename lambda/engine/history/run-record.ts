import type { ErrorReport } from '../../contract.ts'
import type { EngineContext } from '../context.ts'
import { literalOf, quoteLiteral, type Expression } from '../database.ts'
import { historyTables } from './history-schema.ts'
import { nowSql, type RunAtAnotherTime } from './recorded-time.ts'
import { isRepeatable } from '../migration/repeatable.ts'
import type { AppliedMigration } from './state.ts'

type Keeper = Pick<EngineContext, 'schema' | 'set' | 'trigger' | 'clock'>

/** Facts of a run beside its outcome: resource, hashes, caller. */
export type RunDetails = Readonly<Record<string, unknown>>

/**
 * The statements that open a run's record. Whoever holds the lock knows that every other run of the set that still
 * says "running" is dead: it becomes "interrupted". A retry of the same request takes the request id over.
 */
export function startRunSql(
  context: Keeper & RunAtAnotherTime,
  run: {
    readonly runId: string | Expression
    readonly requestId: string | null
    readonly action: 'up' | 'down'
    readonly fromHeads: readonly string[]
    readonly details: RunDetails
  },
): string {
  const { runs } = historyTables(context.schema)
  const set = quoteLiteral(context.set)
  const now = nowSql(context)
  const request = run.requestId === null ? 'NULL' : quoteLiteral(run.requestId)
  return `UPDATE ${runs} SET
  status = CASE WHEN status = 'running' THEN 'interrupted' ELSE status END,
  finished_at = coalesce(finished_at, ${now}),
  details = details || pg_catalog.jsonb_build_object('requestId', request_id),
  request_id = CASE WHEN request_id = ${request} THEN NULL ELSE request_id END
WHERE "set" = ${set} AND (status = 'running' OR request_id = ${request});
INSERT INTO ${runs} (run_id, "set", request_id, trigger, action, from_heads, status, started_at, details)
VALUES (${literalOf(run.runId)}, ${set}, ${request}, ${quoteLiteral(context.trigger)}, ${quoteLiteral(run.action)},
  ${textArray(run.fromHeads)}, 'running', ${now}, ${json(run.details)})`
}

/** The statements that take up a run that this request began before, and end every other one that still says "running". */
export function resumeRunSql(context: Keeper, runId: string): string {
  const { runs } = historyTables(context.schema)
  const [id, now] = [quoteLiteral(runId), quoteLiteral(context.clock.now().toISOString())]
  return `UPDATE ${runs} SET status = 'interrupted', finished_at = ${now}
WHERE "set" = ${quoteLiteral(context.set)} AND status = 'running' AND run_id <> ${id};
UPDATE ${runs} SET status = 'running', finished_at = NULL, details = details - 'pausedAtMs' WHERE run_id = ${id}`
}

/** The statement that leaves a run to the next invocation. Commits with what was done. */
export function pauseRunSql(
  context: Keeper,
  runId: string,
  at: { readonly reverted: readonly string[]; readonly pauseBefore?: string },
): string {
  const details = {
    pausedAtMs: context.clock.now().getTime(),
    reverted: at.reverted,
    pauseBefore: at.pauseBefore ?? null,
  }
  return `UPDATE ${historyTables(context.schema).runs} SET details = details || ${json(details)}
WHERE run_id = ${quoteLiteral(runId)}`
}

/**
 * The statement that ends a resource's unfinished runs for good because a later event of it has come: also those that a
 * run of another resource has interrupted meanwhile.
 */
export function supersedeRunsSql(
  context: Pick<Keeper, 'schema' | 'set' | 'clock'>,
  { resource, except }: { readonly resource: string; readonly except: string | null },
): string {
  const now = quoteLiteral(context.clock.now().toISOString())
  const own = except === null ? '' : ` AND run_id <> ${quoteLiteral(except)}`
  return `UPDATE ${historyTables(context.schema).runs} SET status = 'interrupted', finished_at = coalesce(finished_at, ${now}),
  details = details || ${json({ superseded: true })}
WHERE "set" = ${quoteLiteral(context.set)} AND details ->> 'resource' = ${quoteLiteral(resource)}
  AND status IN ('running', 'interrupted') AND NOT details ? 'superseded'${own}`
}

/**
 * The statement that settles runs whose migrations were kept where they might have been taken back: no later rollback is
 * theirs. It would take back what the deployment that it rolls back has found in place.
 */
export function settleRunsSql(context: Pick<Keeper, 'schema'>, runIds: readonly string[]): string {
  return `UPDATE ${historyTables(context.schema).runs} SET details = details || ${json({ kept: true })}
WHERE run_id = ANY (${textArray(runIds)}::uuid[]) AND NOT details ? 'kept'`
}

/** The statement that keeps what a down has reverted so far. Commits with it. */
export function recordRevertedSql(context: Pick<Keeper, 'schema'>, runId: string, reverted: readonly string[]): string {
  return `UPDATE ${historyTables(context.schema).runs} SET details = details || ${json({ reverted })}
WHERE run_id = ${quoteLiteral(runId)}`
}

/** The statement that keeps the snapshot of a run: also one that is cut off, and continued, goes back to it. */
export function recordSnapshotSql(context: Pick<Keeper, 'schema'>, runId: string, snapshot: string): string {
  return `UPDATE ${historyTables(context.schema).runs} SET snapshot_uri = ${quoteLiteral(snapshot)}
WHERE run_id = ${quoteLiteral(runId)}`
}

/** The statement that keeps what a run failed of while it is taken back: whoever continues it goes on with that. */
export function recordFailureSql(context: Pick<Keeper, 'schema'>, runId: string, failure: ErrorReport): string {
  return `UPDATE ${historyTables(context.schema).runs} SET details = details || ${json({ failure })}
WHERE run_id = ${quoteLiteral(runId)}`
}

/** The statement that tells more in the error of a run that is over. */
export function amendErrorSql(context: Pick<Keeper, 'schema'>, runId: string, error: ErrorReport): string {
  return `UPDATE ${historyTables(context.schema).runs} SET error = ${json(error)} WHERE run_id = ${quoteLiteral(runId)}`
}

/** The statement that closes a run's record. In the last transaction of a run it commits with the migrations. */
export function finishRunSql(
  context: Keeper & RunAtAnotherTime,
  run: {
    readonly runId: string | Expression
    readonly status: 'succeeded' | 'failed'
    readonly toHeads: readonly string[]
    readonly snapshot: string | null
    readonly error: ErrorReport | null
    readonly details: RunDetails
  },
): string {
  return `UPDATE ${historyTables(context.schema).runs} SET status = ${quoteLiteral(run.status)},
  finished_at = ${nowSql(context)},
  to_heads = ${textArray(run.toHeads)},
  snapshot_uri = ${run.snapshot === null ? 'NULL' : quoteLiteral(run.snapshot)},
  error = ${run.error === null ? 'NULL' : json(run.error)},
  details = details || ${json(run.details)}
WHERE run_id = ${literalOf(run.runId)}`
}

function textArray(texts: readonly string[]): string {
  return `ARRAY[${texts.map(quoteLiteral).join(', ')}]::text[]`
}

/** PostgreSQL's jsonb refuses the NUL character that JSON can carry. */
function json(value: unknown): string {
  return `${quoteLiteral(JSON.stringify(value).replaceAll('\\u0000', ''))}::jsonb`
}

/** Applied migrations that no applied migration comes after. */
export function headsOf(all: readonly Pick<AppliedMigration, 'id' | 'parents'>[]): readonly string[] {
  const applied = all.filter((entry) => !isRepeatable(entry))
  const withChildren = new Set(applied.flatMap((entry) => entry.parents))
  return applied.map((entry) => entry.id).filter((id) => !withChildren.has(id))
}
