import { LockstepError } from '../../errors.ts'
import type { EngineContext } from '../context.ts'
import { literalOf, quoteLiteral, type Connection, type Expression, type Row } from '../database.ts'
import { historyTables } from './history-schema.ts'
import { nowSql, type RunAtAnotherTime } from './recorded-time.ts'
import { statementsChecksum, type Step } from '../plan/step.ts'

type Keeper = Pick<EngineContext, 'schema' | 'set' | 'clock'>

/** How far a migration outside of a transaction, or its down, has come. */
export interface Progress {
  readonly id: string
  readonly direction: 'up' | 'down'
  readonly statementsDone: number
  /** The statement after those was begun, and its end is not known. */
  readonly inFlight: boolean
  /** What is in flight commits by itself, and may have done so with a part of its work. */
  readonly mayCommit: boolean
  /** sha256 over the statements that were done. */
  readonly statementsChecksum: string
  readonly runId: string
}

export const PROGRESS_COLUMNS = 'id, direction, statements_done, in_flight, may_commit, statements_checksum, run_id'

export function toProgress(row: Row): Progress {
  return {
    id: String(row.id),
    direction: row.direction === 'down' ? 'down' : 'up',
    statementsDone: Number(row.statements_done),
    inFlight: row.in_flight === true,
    mayCommit: row.may_commit === true,
    statementsChecksum: String(row.statements_checksum),
    runId: String(row.run_id),
  }
}

/**
 * The progress of a step, if it was begun before.
 *
 * @throws LockstepError `HISTORY_CHECKSUM_CHANGED` when the file no longer begins with the statements that were done.
 */
export function progressOf(step: Step, progress: readonly Progress[]): Progress | null {
  const own = progress.find((entry) => entry.id === step.id && entry.direction === step.direction)
  if (own === undefined) return null
  if (checksumOf(step, own.statementsDone) === own.statementsChecksum) return own
  throw new LockstepError({
    code: 'HISTORY_CHECKSUM_CHANGED',
    message: `The first ${own.statementsDone} statements of ${step.migration.file} have run, but the file no longer begins with them.`,
    state: `${step.id} has run up to its statement ${own.statementsDone}.`,
    remedy: 'Restore those statements in the file, and change only what comes after them.',
    migration: step.id,
  })
}

function checksumOf(step: Step, done: number): string {
  return step.kind === 'sql' ? statementsChecksum(step.statements, done) : ''
}

/** Whether the step's next statement may leave a part of its work, which then nobody can see. */
export function mayCommitNext(step: Step, done: number): boolean {
  if (step.kind === 'ts') return true
  const traits = step.statements[done]?.traits
  return traits?.mayCommit === true || traits?.outsideTransaction === 'DETACH PARTITION CONCURRENTLY'
}

/** The statement that records how far a step has come. */
export function saveProgressSql(
  context: Keeper & RunAtAnotherTime,
  step: Step,
  at: { readonly done: number; readonly inFlight: boolean; readonly runId: string | Expression },
): string {
  const values = [
    quoteLiteral(context.set),
    quoteLiteral(step.id),
    quoteLiteral(step.direction),
    String(at.done),
    String(at.inFlight),
    String(at.inFlight && mayCommitNext(step, at.done)),
    quoteLiteral(checksumOf(step, at.done)),
    literalOf(at.runId),
    nowSql(context),
  ]
  return `INSERT INTO ${historyTables(context.schema).progress}
("set", id, direction, statements_done, in_flight, may_commit, statements_checksum, run_id, updated_at)
VALUES (${values.join(', ')})
ON CONFLICT ("set", id, direction) DO UPDATE SET statements_done = EXCLUDED.statements_done,
  in_flight = EXCLUDED.in_flight, may_commit = EXCLUDED.may_commit, statements_checksum = EXCLUDED.statements_checksum,
  run_id = EXCLUDED.run_id, updated_at = EXCLUDED.updated_at`
}

/** The statement that forgets a migration's progress in both directions, because it is done or undone. */
export function clearProgressSql(context: Pick<EngineContext, 'schema' | 'set'>, id: string): string {
  const { progress } = historyTables(context.schema)
  return `DELETE FROM ${progress} WHERE "set" = ${quoteLiteral(context.set)} AND id = ${quoteLiteral(id)}`
}

/** What this run left unfinished. */
export async function readProgressOf(
  connection: Connection,
  context: Pick<EngineContext, 'schema' | 'set'>,
  runId: string,
): Promise<readonly Progress[]> {
  const result = await connection.query(
    `SELECT ${PROGRESS_COLUMNS} FROM ${historyTables(context.schema).progress} WHERE "set" = $1 AND run_id = $2`,
    [context.set, runId],
  )
  return result.rows.map(toProgress)
}
