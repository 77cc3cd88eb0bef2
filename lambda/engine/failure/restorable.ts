import { LockstepError, UNTOUCHED } from '../../errors.ts'
import type { Connection } from '../database.ts'

/**
 * Puts a snapshot in the place of the database, which is kept under another name. `seal` gets the finished copy before
 * anybody else can reach it, and the name that the old database will have.
 *
 * @throws whatever kept it from happening; the database is then where it was
 */
export type RestoreSnapshot = (
  uri: string,
  seal: (copy: Connection, replaced: string) => Promise<void>,
) => Promise<void>

const PRIVILEGES_SQL = `SELECT pg_catalog.current_database() AS database, r.rolname AS username,
  r.rolsuper OR r.rolcreatedb AS creates, pg_catalog.pg_has_role(d.datdba, 'USAGE') AS owns
FROM pg_catalog.pg_roles r, pg_catalog.pg_database d
WHERE r.rolname = current_user AND d.datname = pg_catalog.current_database()`

/**
 * Makes sure before a run that its snapshot could be restored: that takes a new database, and a rename of this one.
 *
 * @throws LockstepError `CONFIG_INVALID` for a user that may not do so.
 */
export async function refuseUnrestorable(connection: Connection): Promise<void> {
  const row = (await connection.query(PRIVILEGES_SQL)).rows[0]
  const [database, user] = [String(row?.database), String(row?.username)]
  if (row?.creates !== true) throw lacks(`the user "${user}" may not create databases`, `ALTER ROLE "${user}" CREATEDB`)
  if (row.owns !== true) {
    throw lacks(
      `the user "${user}" does not own the database "${database}"`,
      `ALTER DATABASE "${database}" OWNER TO "${user}"`,
    )
  }
}

function lacks(what: string, grant: string): LockstepError {
  return new LockstepError({
    code: 'CONFIG_INVALID',
    message: `A failure is to restore the snapshot (onFailure is "restore"), but ${what}.`,
    state: UNTOUCHED,
    remedy: `Grant it (${grant}), or choose onFailure "revert".`,
  })
}
