import type { ErrorReport } from '../../contract.ts'
import { LockstepError, messageOf } from '../../errors.ts'
import { maskSecrets, maskSecretsOf } from '../../mask-secrets.ts'
import { ConnectionLostError, SqlError } from '../database.ts'
import { excerptAt } from '../migration/excerpt.ts'
import { describeBlocker, type Blocker } from '../lock/lock-blocker.ts'
import { codeUnits, type Statement } from '../migration/statements.ts'
import type { Step } from '../plan/step.ts'

/** A step that failed, before it is known what state the database is in. */
export class StepError extends Error {
  override readonly name = 'StepError'
  readonly step: Step
  /** The statement that failed; null for code, or for what follows the statements (deferred constraints, history). */
  readonly statement: Statement | null
  /** The session whose lock was in the way, if there was one that can be named. */
  readonly blocker: Blocker | null

  constructor(step: Step, statement: Statement | null, cause: unknown, blocker: Blocker | null = null) {
    super(messageOf(cause), { cause })
    this.step = step
    this.statement = statement
    this.blocker = blocker
  }
}

/** The same failure, naming who was in the way. */
export function blockedBy(error: unknown, blocker: Blocker | null): unknown {
  if (!(error instanceof StepError)) return error
  return new StepError(error.step, error.statement, error.cause, blocker)
}

/** A step's failure; of a run that was told to stop, the reason is why. */
export function failedStep(step: Step, statement: Statement | null, error: unknown, signal: AbortSignal): StepError {
  return new StepError(step, statement, signal.aborted ? signal.reason : error)
}

/** query_canceled, which `statement_timeout` raises. */
export const CANCELLED = '57014'
/** Below this a cancelled statement was cancelled because the function's time was over. Milliseconds. */
export const DEADLINE_IS_NEAR_MS = 30_000
/** lock_not_available and deadlock_detected: gone when tried again. */
const PASSING = new Set(['55P03', '40P01'])

/** Whether the failure came of other sessions' locks, so that the same work may succeed a moment later. */
export function isLockConflict(error: unknown): boolean {
  const cause = error instanceof StepError ? error.cause : error
  return cause instanceof SqlError && PASSING.has(cause.sqlState)
}

/** What is left to do when the time is over. */
export const OVER_TIME =
  'The time of the whole run is over: deploy fewer migrations at a time, split the one that is slow, or give the construct a longer totalTimeout (up to an hour).'

/** The report of a failed run, with the state that was found afterwards. */
export function failureReport(error: unknown, state: string, deadlineIsNear: boolean): ErrorReport {
  if (error instanceof LockstepError) return { ...error.report, state }
  if (!(error instanceof StepError)) return plainReport(error, state)
  const { step, statement, cause } = error
  const own = reportIn(cause)
  if (own !== null) return { ...own, state, migration: step.id }
  const overTime = cause instanceof SqlError && cause.sqlState === CANCELLED && deadlineIsNear
  return {
    code: overTime ? 'DEADLINE_EXCEEDED' : 'MIGRATION_FAILED',
    message: maskSecretsOf(
      statement?.sql ?? '',
      `${step.direction === 'up' ? '' : 'The down of '}${placeOf(error)}: ${describe(cause)}`,
    ),
    state,
    remedy: overTime ? OVER_TIME : remedyFor(error),
    migration: step.id,
    file: step.migration.file,
    ...(cause instanceof SqlError ? { sqlState: cause.sqlState } : {}),
    ...(statement === null ? {} : excerptAt(statement.block, offsetOf(statement, cause))),
  }
}

/** What stopped the run brings its own report: a LockstepError, or the command line's interruption. */
function reportIn(cause: unknown): ErrorReport | null {
  return cause instanceof Error && 'report' in cause ? (cause.report as ErrorReport) : null
}

function plainReport(error: unknown, state: string): ErrorReport {
  return {
    code: error instanceof ConnectionLostError ? 'DATABASE_UNREACHABLE' : 'MIGRATION_FAILED',
    message: maskSecrets(`The run failed: ${describe(error)}`),
    state,
    remedy: 'Run it again; what was committed is in the history and is not applied twice.',
    ...(error instanceof SqlError ? { sqlState: error.sqlState } : {}),
  }
}

function placeOf({ step, statement, cause }: StepError): string {
  if (statement === null) return step.migration.file
  return `${step.migration.file}, line ${excerptAt(statement.block, offsetOf(statement, cause)).line}`
}

/** Without a position the statement's first character is the place. */
function offsetOf(statement: Statement, cause: unknown): number {
  const position = cause instanceof SqlError ? cause.position : null
  return statement.offset + (position === null ? 0 : codeUnits(statement.sql, position - 1))
}

function describe(cause: unknown): string {
  if (cause instanceof ConnectionLostError) return `the connection was lost (${cause.message}).`
  if (!(cause instanceof SqlError)) return `${messageOf(cause)}.`
  const detail = cause.detail === null ? '' : ` ${cause.detail}`
  return `${cause.message} (SQLSTATE ${cause.sqlState}).${detail}`
}

function remedyFor({ cause, step, blocker }: StepError): string {
  if (cause instanceof ConnectionLostError)
    return 'Run it again; what was committed is in the history and is not applied twice.'
  if (!(cause instanceof SqlError)) return `Correct ${step.migration.file} and run again.`
  if (cause.sqlState === CANCELLED)
    return 'Split the migration into smaller steps, or give it a longer statement timeout.'
  if (cause.sqlState === '55P03') return remedyForLock(blocker)
  if (cause.sqlState === '42501') return 'Grant the privilege to the user that migrates, or use another user.'
  if (cause.sqlState === '55P04')
    return 'Use the new enum value in a later migration: it exists only once this one has committed.'
  const hint = cause.hint === null ? '' : ` PostgreSQL's hint: ${cause.hint}`
  return `Correct ${step.migration.file} and run again.${hint}`
}

function remedyForLock(blocker: Blocker | null): string {
  if (blocker === null) return 'Another session holds a lock on the table: end it, or run again at a quieter time.'
  return `Another session is in the way: ${describeBlocker(blocker)}. Wait for it or end it with SELECT pg_terminate_backend(${blocker.pid}), and run again.`
}
