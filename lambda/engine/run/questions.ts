import { LockstepError, UNTOUCHED } from '../../errors.ts'
import { SqlError, type Connection, type Row } from '../database.ts'
import { excerptAt } from '../migration/excerpt.ts'
import { failedStep, failureReport } from '../failure/failure.ts'
import type { Progress } from '../history/progress.ts'
import type { Statement } from '../migration/statements.ts'
import type { SqlStep, Step } from '../plan/step.ts'

/** What the object that a question is about is missing with: table, column, object, function, schema (appendix A). */
const MISSING = new Set(['42P01', '42703', '42704', '42883', '3F000'])

/**
 * Asks what the migrations of a run require of the database, before anything is touched. What a question is about may be
 * made by an earlier migration of the same run: such a one is asked right before its own.
 *
 * @returns ids of the migrations whose requirements are met
 * @throws LockstepError `REQUIREMENT_NOT_MET`, naming all of them; `MIGRATION_FAILED` for a query that cannot be run.
 */
export async function askRequirements(
  connection: Connection,
  steps: readonly Step[],
  progress: readonly Progress[],
): Promise<ReadonlySet<string>> {
  const asking = steps.filter((step): step is SqlStep => step.kind === 'sql' && step.require.length > 0)
  const met = new Set<string>()
  const unmet: LockstepError[] = []
  for (const step of asking) {
    if (isBegun(step, progress)) met.add(step.id)
    else if ((await askBefore(connection, step, step === steps[0], unmet)) === 'met') met.add(step.id)
  }
  const [first, ...others] = unmet
  if (first === undefined) return met
  if (others.length === 0) throw first
  const more = others.map((error) => error.report.migration).join(', ')
  throw new LockstepError({
    ...first.report,
    code: 'REQUIREMENT_NOT_MET',
    message: `${first.report.message} (and ${others.length} more: ${more})`,
  })
}

/** A migration that goes on where it stopped has been asked for before. */
export function isBegun({ id }: Step, progress: readonly Progress[]): boolean {
  return progress.some((entry) => entry.id === id && entry.direction === 'up')
}

async function askBefore(
  connection: Connection,
  step: SqlStep,
  isFirst: boolean,
  unmet: LockstepError[],
): Promise<'met' | 'unmet' | 'later'> {
  for (const question of step.require) {
    await connection.execute('BEGIN READ ONLY')
    try {
      const answer = await ask(connection, question)
      if (answer === null) continue
      unmet.push(notMet(step, question, answer))
      return 'unmet'
    } catch (error) {
      if (!isFirst && error instanceof SqlError && MISSING.has(error.sqlState)) return 'later'
      if (!(error instanceof SqlError)) throw error
      throw new LockstepError({
        ...failureReport(failedStep(step, question, error, NEVER), UNTOUCHED, false),
        code: 'MIGRATION_FAILED',
      })
    } finally {
      if (connection.isOpen()) await connection.execute('ROLLBACK')
    }
  }
  return 'met'
}

const NEVER = new AbortController().signal

/**
 * Asks the questions of a step where it stands.
 *
 * @throws StepError
 */
export async function askWithin(
  connection: Connection,
  step: SqlStep,
  kind: 'require' | 'verify',
  signal: AbortSignal,
): Promise<void> {
  for (const question of step[kind]) {
    try {
      signal.throwIfAborted()
      const answer = await ask(connection, question)
      if (answer === null) continue
      throw kind === 'require' ? notMet(step, question, answer) : notVerified(step, question, answer)
    } catch (error) {
      throw failedStep(step, question, error, signal)
    }
  }
}

/** Null: it is true in every row, and there is one. Otherwise what it gave. */
async function ask(connection: Connection, question: Statement): Promise<string | null> {
  const rows = (await connection.execute(question.sql)).at(-1)?.rows ?? []
  if (rows.length === 0) return 'no row'
  const wrong = rows.find(
    (row) => !Object.values(row).every((value) => value === true) || Object.keys(row).length === 0,
  )
  return wrong === undefined ? null : textOf(wrong)
}

/** A number or a truth value; what else an application's data may be is not for a log. */
function textOf(row: Row): string {
  const value = Object.values(row).find((candidate) => candidate !== true)
  if (value === null) return 'null'
  const text = typeof value === 'boolean' || typeof value === 'number' || typeof value === 'string' ? String(value) : ''
  return /^(?:false|-?\d{1,20})$/.test(text) ? text : 'another value'
}

function notMet(step: SqlStep, question: Statement, answer: string): LockstepError {
  const place = excerptAt(question.block, question.offset)
  return new LockstepError({
    code: 'REQUIREMENT_NOT_MET',
    message: `${step.migration.file}, line ${place.line}: what the migration requires of the database is not so: the query gave ${answer}, and not true.`,
    state: UNTOUCHED,
    remedy: `Put the data right that the query looks for, and run again.`,
    migration: step.id,
    file: step.migration.file,
    ...place,
  })
}

function notVerified(step: SqlStep, question: Statement, answer: string): LockstepError {
  const place = excerptAt(question.block, question.offset)
  return new LockstepError({
    code: 'MIGRATION_FAILED',
    message: `${step.migration.file}, line ${place.line}: after the up, the database is not what the migration verifies: the query gave ${answer}, and not true.`,
    state: UNTOUCHED,
    remedy: `Correct ${step.migration.file}, or the data, and run again.`,
    migration: step.id,
    file: step.migration.file,
    ...place,
  })
}
