import { LockstepError, UNTOUCHED } from '../../errors.ts'
import { VERSION } from '../../version.ts'
import { quoteLiteral } from '../database.ts'

/**
 * Raised only by a version whose history those before must not read: the code that takes a deployment back is the one
 * before, and meets what the newer one has written.
 */
const HISTORY_FORMAT = 1

/** The comment on the table of migrations. It needs no privilege to be read, and a dump carries it along. */
export const HISTORY_NOTE = `One row for every applied migration, with its source as applied. Format ${HISTORY_FORMAT}.`

/** One column, `note`: the comment on the table whose quoted name is given. */
export function historyNoteSql(migrations: string): string {
  return `SELECT pg_catalog.obj_description(pg_catalog.to_regclass(${quoteLiteral(migrations)}), 'pg_class') AS note`
}

/** @param note - what {@link historyNoteSql} finds; without a format it is the first. @throws LockstepError `CONFIG_INVALID` */
export function refuseNewerHistory(note: unknown, schema: string): void {
  const format =
    typeof note === 'string' ? Number(/\bFormat (\d+)\b/.exec(note)?.[1] ?? HISTORY_FORMAT) : HISTORY_FORMAT
  if (format <= HISTORY_FORMAT) return
  throw new LockstepError({
    code: 'CONFIG_INVALID',
    message: `The history in the schema "${schema}" is of a later version of Lockstep: its format is ${format}, and this version, ${VERSION}, knows up to ${HISTORY_FORMAT}.`,
    state: UNTOUCHED,
    remedy: 'Use the version of Lockstep that ran last on this database, or a later one.',
  })
}
