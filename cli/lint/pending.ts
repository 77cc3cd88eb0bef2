import { perform } from '../../lambda/actions.ts'
import { compose } from '../../lambda/compose.ts'
import { silentLog } from '../../lambda/log.ts'
import { checkDatabaseUrl } from '../database-url.ts'
import { LOCAL_DIRECTORY, configOf, type Settings } from '../settings.ts'
import { selectionOf } from '../commands/selection.ts'

/** Ids of what is pending on the database that was named, or on the embedded one. @throws LockstepError */
export async function pendingOn(settings: Settings, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const command = { ...selectionOf({ action: 'pending' }), settings }
  const ask = async (url: string): Promise<ReadonlySet<string>> => {
    const lockstep = compose(configOf(command, url), silentLog, { signal })
    return new Set((await perform(lockstep, { action: 'pending' })).pending)
  }
  if (settings.databaseUrl !== null) {
    checkDatabaseUrl(settings.databaseUrl)
    return ask(settings.databaseUrl)
  }
  const { openEmbeddedDatabase } = await import('../embedded-database.ts')
  const server = await openEmbeddedDatabase(LOCAL_DIRECTORY)
  try {
    return await ask(server.url)
  } finally {
    await server.stop()
  }
}
