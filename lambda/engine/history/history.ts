import type { EngineContext } from '../context.ts'
import { literalOf, quoteLiteral, type Expression } from '../database.ts'
import { historyTables } from './history-schema.ts'
import type { Step } from '../plan/step.ts'

type Keeper = Pick<EngineContext, 'schema' | 'set' | 'version'> & { readonly appliedBy: string | Expression }

/** A step that is done and not yet in the history. */
export interface StepRecord {
  readonly step: Step
  readonly runId: string | Expression
  readonly position: number
  readonly appliedAt: Date | Expression
  readonly durationMs: number | Expression
}

/** The statement that records applied steps, or removes the records of reverted ones. All of one direction; not empty. */
export function recordStepsSql(context: Keeper, records: readonly StepRecord[]): string {
  const tables = historyTables(context.schema)
  if (records[0]?.step.direction === 'down') {
    const ids = records.map(({ step }) => quoteLiteral(step.id)).join(', ')
    return `DELETE FROM ${tables.migrations} WHERE "set" = ${quoteLiteral(context.set)} AND id IN (${ids})`
  }
  return `INSERT INTO ${tables.migrations}
("set", id, checksum, kind, position, parents, source, archive, applied_at, duration_ms, run_id, applied_by, lockstep_version)
VALUES ${records.map((record) => rowOf(context, record)).join(',\n')}`
}

function rowOf(context: Keeper, record: StepRecord): string {
  const { migration, parents, id } = record.step
  const values = [
    quoteLiteral(context.set),
    quoteLiteral(id),
    quoteLiteral(migration.checksum),
    quoteLiteral(migration.kind === 'sql' && migration.repeatable ? 'repeatable' : migration.kind),
    String(record.position),
    `ARRAY[${parents.map(quoteLiteral).join(', ')}]::text[]`,
    quoteLiteral(migration.source),
    migration.kind === 'ts' && migration.compiled !== null ? quoteLiteral(migration.compiled.checksum) : 'NULL',
    'sql' in record.appliedAt ? record.appliedAt.sql : `${quoteLiteral(record.appliedAt.toISOString())}::timestamptz`,
    typeof record.durationMs === 'number' ? String(Math.round(record.durationMs)) : record.durationMs.sql,
    `${literalOf(record.runId)}::uuid`,
    literalOf(context.appliedBy),
    quoteLiteral(context.version),
  ]
  return `(${values.join(', ')})`
}
