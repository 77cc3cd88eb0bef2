import type { ErrorReport } from './contract.ts'
import { ConnectionLostError } from './engine/database.ts'
import { maskSecrets } from './mask-secrets.ts'

/** Stable codes of every error that reaches a person. */
export type ErrorCode =
  | 'CONFIG_INVALID'
  | 'SECRET_UNREADABLE'
  | 'DATABASE_UNREACHABLE'
  | 'LOCK_HELD'
  | 'HISTORY_FILE_MISSING'
  | 'HISTORY_CHECKSUM_CHANGED'
  | 'HISTORY_OUT_OF_ORDER'
  | 'MULTIPLE_HEADS'
  | 'MIGRATION_INVALID'
  | 'MIGRATION_FAILED'
  | 'MIGRATION_IRREVERSIBLE'
  | 'MIGRATION_UNKNOWN'
  | 'REQUIREMENT_NOT_MET'
  | 'HAZARD_REFUSED'
  | 'CONFIRMATION_REQUIRED'
  | 'SCHEMA_DRIFTED'
  | 'PLAN_CHANGED'
  | 'SCRIPT_REFUSED'
  | 'SNAPSHOT_FAILED'
  | 'RESTORE_FAILED'
  | 'DEADLINE_EXCEEDED'
  | 'DATABASE_AHEAD'
  | 'EVENT_INVALID'
  | 'USAGE_INVALID'
  | 'INTERRUPTED'
  | 'INTERNAL'

/** Everything a report holds, with the code narrowed. `state` and `remedy` are sentences. */
export interface LockstepErrorInput extends ErrorReport {
  readonly code: ErrorCode
  readonly cause?: unknown
}

/** The state to report for every failure before the first write. */
export const UNTOUCHED = 'The database has not been touched.'

/** The only error type that leaves Lockstep. Carries what happened, the state of the database, and the remedy. */
export class LockstepError extends Error {
  override readonly name = 'LockstepError'
  readonly report: ErrorReport

  constructor(input: LockstepErrorInput) {
    const { cause, ...report } = input
    const message = maskSecrets(report.message)
    super(message, cause === undefined ? {} : { cause })
    this.report = { ...report, message }
  }

  get code(): string {
    return this.report.code
  }
}

/** Text of an unknown thrown value, on one line. Passwords of statements are masked. */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof AggregateError && thrown.message === '') return thrown.errors.map(messageOf).join('; ')
  return maskSecrets(thrown instanceof Error ? thrown.message : String(thrown))
}

/** The report of any thrown value; a value that is not a {@link LockstepError} becomes `INTERNAL`. */
export function reportOf(thrown: unknown): ErrorReport {
  if (thrown instanceof LockstepError) return thrown.report
  if (isFileError(thrown)) return fileReport(thrown)
  if (thrown instanceof ConnectionLostError) return lostReport(thrown)
  return {
    code: 'INTERNAL',
    message: `Lockstep met an error that it did not expect: ${messageOf(thrown)}`,
    state: 'Unknown. Everything that was committed is in the history.',
    remedy: 'Run "status" to see the state of the database, and report this message as a bug.',
  }
}

const FILE_CODES = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'ENOTDIR', 'EISDIR'])

function isFileError(thrown: unknown): thrown is Error {
  return thrown instanceof Error && 'code' in thrown && FILE_CODES.has(String(thrown.code))
}

function lostReport(error: ConnectionLostError): ErrorReport {
  return {
    code: 'DATABASE_UNREACHABLE',
    message: `The connection to the database was lost: ${messageOf(error)}.`,
    state: 'What was not committed is undone by the server; what was committed is in the history.',
    remedy:
      'Look in the server log for why it ended, and at the network between. Run "status", and then the same again.',
  }
}

function fileReport(error: Error): ErrorReport {
  return {
    code: 'CONFIG_INVALID',
    message: `A file or directory cannot be used: ${error.message}.`,
    state: UNTOUCHED,
    remedy: 'Check who owns it and whether it may be written, or use another directory.',
  }
}

/** The error of a report that was a result, or was read from the runs. */
export function errorOf(report: ErrorReport): LockstepError {
  return new LockstepError({ ...report, code: report.code as ErrorCode })
}

/** The report as one paragraph: `CODE: message State. Remedy.` */
export function sentenceOf(report: ErrorReport): string {
  return `${report.code}: ${report.message} ${report.state} ${report.remedy}`
}

/** What CloudFormation shows of a failure must be short: over 4,096 bytes in all it drops the response and waits. */
export const LONGEST_REASON_BYTES = 1000

/** {@link sentenceOf} within `limit` bytes: the message is cut, so that state and remedy stay whole if they can. */
export function shortSentenceOf(report: ErrorReport, limit: number = LONGEST_REASON_BYTES): string {
  const frame = sentenceOf({ ...report, message: '' })
  const room = Math.max(200, limit - Buffer.byteLength(frame))
  return cut(sentenceOf({ ...report, message: cut(report.message, room) }), limit)
}

function cut(text: string, bytes: number): string {
  const buffer = Buffer.from(text)
  if (buffer.length <= bytes) return text
  const ellipsis = '…'
  // A character that was cut in two becomes U+FFFD, which is taken off.
  return `${buffer.toString('utf8', 0, bytes - Buffer.byteLength(ellipsis)).replace(/\uFFFD+$/, '')}${ellipsis}`
}
