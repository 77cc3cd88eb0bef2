import type { EngineContext } from './context.ts'
import { quoteLiteral } from './database.ts'
import { historyTables } from './history-schema.ts'
import type { Step } from './step.ts'

/** The statement that records an applied step, or removes the record of a reverted one. */
export function recordStepSql(
  context: Pick<EngineContext, 'schema' | 'set' | 'appliedBy' | 'version' | 'clock'>,
  step: Step,
  run: { readonly runId: string; readonly durationMs: number; readonly position: number },
): string {
  const tables = historyTables(context.schema)
  const set = quoteLiteral(context.set)
  if (step.direction === 'down') {
    return `DELETE FROM ${tables.migrations} WHERE "set" = ${set} AND id = ${quoteLiteral(step.id)}`
  }
  const { migration } = step
  const values = [
    set,
    quoteLiteral(step.id),
    quoteLiteral(migration.checksum),
    quoteLiteral(migration.kind),
    String(run.position),
    `ARRAY[${step.parents.map(quoteLiteral).join(', ')}]::text[]`,
    quoteLiteral(migration.source),
    quoteLiteral(context.clock.now().toISOString()),
    String(Math.round(run.durationMs)),
    quoteLiteral(run.runId),
    quoteLiteral(context.appliedBy),
    quoteLiteral(context.version),
  ]
  return `INSERT INTO ${tables.migrations}
("set", id, checksum, kind, position, parents, source, applied_at, duration_ms, run_id, applied_by, lockstep_version)
VALUES (${values.join(', ')})`
}
