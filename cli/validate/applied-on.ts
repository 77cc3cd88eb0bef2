import { compose } from '../../lambda/compose.ts'
import { historyReadySql } from '../../lambda/engine/history/history-schema.ts'
import { readState, type AppliedMigration } from '../../lambda/engine/history/state.ts'
import { silentLog } from '../../lambda/log.ts'
import { selectionOf } from '../commands/selection.ts'
import { checkDatabaseUrl } from '../database-url.ts'
import { configOf, type Settings } from '../settings.ts'

/** What the history of the database at `url` holds of the set. @throws LockstepError `DATABASE_UNREACHABLE`, `CONFIG_INVALID`. */
export async function appliedOn(
  url: string,
  settings: Settings,
  signal: AbortSignal,
): Promise<readonly AppliedMigration[]> {
  checkDatabaseUrl(url)
  const command = { ...selectionOf({ action: 'status' }), settings }
  const connection = await compose(configOf(command, url), silentLog, { signal }).connect()
  try {
    const schema = settings.historySchema
    const { rows } = await connection.query(`SELECT ${historyReadySql(schema)} AS ready`)
    if (rows[0]?.ready !== true) return []
    return (await readState(connection, { schema, set: settings.set })).applied
  } finally {
    await connection.close()
  }
}
