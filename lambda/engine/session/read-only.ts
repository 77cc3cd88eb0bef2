import { LockstepError, UNTOUCHED } from '../../errors.ts'
import type { Connection } from '../database.ts'

/** Why nothing can be written in the session that asks, as an expression: `replica`, `setting` or null. */
export const READ_ONLY_SQL = `CASE WHEN pg_catalog.pg_is_in_recovery() THEN 'replica'
    WHEN pg_catalog.current_setting('transaction_read_only') = 'on' THEN 'setting' END`

/** The error for a target that cannot be migrated; null for one that can. */
export function readOnlyError(connection: Connection, found: unknown): LockstepError | null {
  if (found !== 'replica' && found !== 'setting') return null
  const isReplica = found === 'replica'
  return new LockstepError({
    code: 'CONFIG_INVALID',
    message: isReplica
      ? `The server at ${connection.server} is a read-only replica.`
      : `The sessions on ${connection.server} are read-only: default_transaction_read_only is on for this user or database.`,
    state: UNTOUCHED,
    remedy: isReplica
      ? "Give the writer's endpoint: of an Aurora cluster the cluster endpoint, not the reader's."
      : "Give the writer's endpoint, or reset the setting: ALTER ROLE … RESET default_transaction_read_only (or ALTER DATABASE).",
  })
}
