import { LockstepError, UNTOUCHED } from '../../errors.ts'
import { SqlError } from '../database.ts'

/** insufficient_privilege (PostgreSQL, appendix A) */
const DENIED = '42501'
/** read_only_sql_transaction */
const READ_ONLY = '25006'
/** undefined_table, undefined_column, undefined_schema */
const MISSING = new Set(['42P01', '42703', '3F000'])

/**
 * Runs what reads or makes Lockstep's own tables, and says what to do when the server refuses it.
 *
 * @throws LockstepError `CONFIG_INVALID` for a privilege or a table that is missing
 */
export async function explained<T>(schema: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof SqlError)) throw error
    const { sqlState } = error
    if (sqlState === DENIED)
      throw refused(
        error,
        `Grant it to the user that Lockstep connects with: CREATE on the database for the first run, or on the schema, where that is there; then USAGE on the schema "${schema}", and SELECT, INSERT, UPDATE and DELETE on its tables.`,
      )
    if (sqlState === READ_ONLY)
      throw refused(error, "The server, or this user's sessions, are read-only: give the writer's endpoint.")
    if (MISSING.has(sqlState))
      throw refused(
        error,
        `The tables in the schema "${schema}" are not whole, or of another version of Lockstep: use that version, or restore the schema from a snapshot.`,
      )
    throw error
  }
}

function refused(error: SqlError, remedy: string): LockstepError {
  return new LockstepError({
    code: 'CONFIG_INVALID',
    message: `Lockstep's own tables cannot be used: ${error.message} (SQLSTATE ${error.sqlState}).`,
    state: UNTOUCHED,
    remedy,
    sqlState: error.sqlState,
    cause: error,
  })
}
