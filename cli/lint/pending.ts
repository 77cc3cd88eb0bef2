import { perform } from '../../lambda/actions.ts'
import { compose } from '../../lambda/compose.ts'
import type { Lockstep } from '../../lambda/lockstep.ts'
import { silentLog } from '../../lambda/log.ts'
import { selectionOf } from '../commands/selection.ts'
import { checkDatabaseUrl } from '../database-url.ts'
import { configOf, LOCAL_DIRECTORY, type Settings } from '../settings.ts'

/** Does something with the database that was named, or with the embedded one. @throws LockstepError */
export async function withDatabase<T>(
  settings: Settings,
  signal: AbortSignal,
  work: (lockstep: Lockstep) => Promise<T>,
): Promise<T> {
  const command = { ...selectionOf({ action: 'pending' }), settings }
  const open = (url: string): Lockstep => compose(configOf(command, url), silentLog, { signal })
  if (settings.databaseUrl !== null) {
    checkDatabaseUrl(settings.databaseUrl)
    return work(open(settings.databaseUrl))
  }
  const { openEmbeddedDatabase } = await import('../embedded-database.ts')
  const server = await openEmbeddedDatabase(LOCAL_DIRECTORY)
  try {
    return await work(open(server.url))
  } finally {
    await server.stop()
  }
}

/** What is pending, repeatables that have changed among it, and in what time zone it would run. */
export interface PendingOn {
  readonly pending: ReadonlySet<string>
  readonly timeZone: string
}

export async function readPending(lockstep: Lockstep): Promise<PendingOn> {
  const { pending, repeatables } = await perform(lockstep, { action: 'status' })
  const connection = await lockstep.connect()
  try {
    const { rows } = await connection.query(`SELECT pg_catalog.current_setting('TimeZone') AS zone`)
    return { pending: new Set([...pending, ...repeatables]), timeZone: String(rows[0]?.zone) }
  } finally {
    await connection.close()
  }
}

/** Ids of what is pending on the database that was named, or on the embedded one. @throws LockstepError */
export function pendingOn(settings: Settings, signal: AbortSignal): Promise<ReadonlySet<string>> {
  return withDatabase(settings, signal, async (lockstep) => (await readPending(lockstep)).pending)
}
