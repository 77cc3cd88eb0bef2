import { LockstepError, messageOf, type ErrorCode } from '../errors.ts'
import { Fault } from './fault.ts'

/** What the boundary knows of a failed snapshot or restore, whatever the reason. */
export interface Boundary {
  readonly code: ErrorCode
  /** Begins the message, such as `The snapshot of database "shop"`. */
  readonly subject: string
  /** A sentence: what state the database is in now. */
  readonly state: string
  readonly signal?: AbortSignal | undefined
}

/** Turns whatever was thrown into the one error that leaves; a {@link LockstepError} passes as it is. */
export function toLockstepError(error: unknown, boundary: Boundary): LockstepError {
  const aborted = boundary.signal?.aborted === true
  if (error instanceof LockstepError && !(aborted && isOfSession(error))) return error
  if (aborted) return cancelled(boundary.signal?.reason, boundary)
  const sqlState = sqlStateOf(error)
  return new LockstepError({
    code: boundary.code,
    message: `${boundary.subject} failed: ${sentence(messageOf(error))}`,
    state: boundary.state,
    remedy: error instanceof Fault ? error.remedy : remedyFor(error),
    ...(sqlState === undefined ? {} : { sqlState }),
    cause: error,
  })
}

/** An abort ends the sessions: one that fails then, or is refused, does not say why. */
function isOfSession({ report }: LockstepError): boolean {
  return report.code === 'DATABASE_UNREACHABLE'
}

/** The signal if it is the reason of what was just caught: tidying up takes time, in which it may be aborted as well. */
export function abortedBy(signal: AbortSignal | undefined): AbortSignal | undefined {
  return signal?.aborted === true ? signal : undefined
}

/** The remedy for an error of the server or of the network that nothing more is known about. */
export function remedyFor(error: unknown): string {
  const sqlState = sqlStateOf(error)
  if (sqlState === undefined) return LOST.test(messageOf(error)) ? LOST_REMEDY : 'Correct the cause and try again.'
  return REMEDIES[sqlState] ?? REMEDIES[sqlState.slice(0, 2)] ?? 'Correct the cause and try again.'
}

/** PostgreSQL's five characters, from the error or from what caused it. */
export function sqlStateOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  if ('severity' in error && 'code' in error && typeof error.code === 'string') return error.code
  return sqlStateOf(error.cause)
}

const LOST = /connection|terminated|ECONNRESET|EPIPE|socket/i
const LOST_REMEDY = 'Look in the server log for why the connection ended, and try again.'

const REMEDIES: Readonly<Record<string, string>> = {
  '42501': 'Grant the missing permission to the role that Lockstep connects with, or connect as the owner.',
  '55P03': 'Another session holds a lock on the table (a migration, VACUUM FULL, TRUNCATE): try again once it ended.',
  '55006': 'Close the other sessions, prepared transactions and replication slots on the database, and try again.',
  '42704': 'A role or another object that the snapshot refers to does not exist here: create it and try again.',
  '42710': 'An object of that name exists already: drop or rename it and try again.',
  '53': 'The server lacks disk space, memory, connections or locks (max_locks_per_transaction): make room and try again.',
  '57': LOST_REMEDY,
  '08': LOST_REMEDY,
}

function cancelled(reason: unknown, boundary: Boundary): LockstepError {
  if (reason instanceof LockstepError) return reason
  return new LockstepError({
    code: boundary.code,
    message: `${boundary.subject} was cancelled: ${sentence(messageOf(reason))}`,
    state: boundary.state,
    remedy: 'Start it again, with more time if a time limit ended it.',
    cause: reason,
  })
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`
}
