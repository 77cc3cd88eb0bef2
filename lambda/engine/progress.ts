import { LockstepError } from '../errors.ts'
import type { EngineContext } from './context.ts'
import { quoteLiteral, type Connection } from './database.ts'
import { historyTables } from './history-schema.ts'
import type { Progress } from './state.ts'
import { statementsChecksum, type SqlStep } from './step.ts'

type Keeper = Pick<EngineContext, 'schema' | 'set' | 'clock'>

/**
 * How many statements of a step outside of a transaction are done already.
 *
 * @throws LockstepError `HISTORY_CHECKSUM_CHANGED` when the file no longer begins with the statements that were done.
 */
export function statementsDone(step: SqlStep, progress: readonly Progress[]): number {
  const own = progress.find((entry) => entry.id === step.id)
  if (own === undefined || step.direction === 'down') return 0
  if (statementsChecksum(step.statements, own.statementsDone) === own.statementsChecksum) return own.statementsDone
  throw new LockstepError({
    code: 'HISTORY_CHECKSUM_CHANGED',
    message: `The first ${own.statementsDone} statements of ${step.migration.file} are applied, but the file no longer begins with them.`,
    state: `${step.id} is applied up to its statement ${own.statementsDone}.`,
    remedy: 'Restore those statements in the file, and change only what comes after them.',
    migration: step.id,
  })
}

/** The statement that records how far a step has come. */
export function saveProgressSql(context: Keeper, step: SqlStep, done: number, runId: string): string {
  const values = [
    quoteLiteral(context.set),
    quoteLiteral(step.id),
    String(done),
    quoteLiteral(statementsChecksum(step.statements, done)),
    quoteLiteral(runId),
    quoteLiteral(context.clock.now().toISOString()),
  ]
  return `INSERT INTO ${historyTables(context.schema).progress}
("set", id, statements_done, statements_checksum, run_id, updated_at) VALUES (${values.join(', ')})
ON CONFLICT ("set", id) DO UPDATE SET statements_done = EXCLUDED.statements_done,
  statements_checksum = EXCLUDED.statements_checksum, run_id = EXCLUDED.run_id, updated_at = EXCLUDED.updated_at`
}

/** The statement that forgets a step's progress, because it is done or undone. */
export function clearProgressSql(context: Pick<EngineContext, 'schema' | 'set'>, id: string): string {
  const { progress } = historyTables(context.schema)
  return `DELETE FROM ${progress} WHERE "set" = ${quoteLiteral(context.set)} AND id = ${quoteLiteral(id)}`
}

/** Ids of the migrations that this run left unfinished, with how many statements are done. */
export async function readProgressOf(
  connection: Connection,
  context: Pick<EngineContext, 'schema' | 'set'>,
  runId: string,
): Promise<ReadonlyMap<string, number>> {
  const result = await connection.query(
    `SELECT id, statements_done FROM ${historyTables(context.schema).progress} WHERE "set" = $1 AND run_id = $2`,
    [context.set, runId],
  )
  return new Map(result.rows.map((row) => [String(row.id), Number(row.statements_done)]))
}
