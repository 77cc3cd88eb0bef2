import { ConnectionLostError } from '../../lambda/engine/database.ts'
import type { Migration } from '../../lambda/engine/migration/migration.ts'
import { LockstepError } from '../../lambda/errors.ts'
import { mentionedIn } from './mentioned.ts'
import { openShadowDatabase, type ShadowDatabase, type ShadowDatabaseOptions } from './shadow-database.ts'
import { startShadowServer, type ShadowServer, type ShadowServerOptions } from './shadow-server.ts'

/** A shadow server with what a set of migrations takes for granted: the roles and databases that it names. */
export interface Shadow {
  readonly server: ShadowServer
  /** The roles that were made for the set. */
  readonly roles: readonly string[]
  /** Makes an empty database for the set, under the name that its migrations call it by if they name one. */
  readonly open: (options?: ShadowDatabaseOptions) => Promise<ShadowDatabase>
  readonly stop: () => Promise<void>
}

/**
 * Starts a server to try these migrations on.
 *
 * @throws LockstepError `DATABASE_UNREACHABLE`, `CONFIG_INVALID`.
 */
export async function startShadow(
  migrations: readonly Migration[],
  options: ShadowServerOptions = {},
): Promise<Shadow> {
  const { roles, made, databases } = await mentionedIn(migrations)
  const server = await startShadowServer(options)
  try {
    // A name that a given server has already is left alone; there the migrations' own is of no use.
    const names = options.url ? [] : databases.filter((name) => !SYSTEM_DATABASES.has(name))
    const [own, ...others] = names
    for (const name of others) await server.createDatabase({ name })
    await server.expectRoles(made)
    return {
      server,
      roles: await server.createRoles(roles),
      open: (wanted = {}) => openShadowDatabase(server, { name: own, ...wanted }),
      stop: server.stop,
    }
  } catch (error) {
    await server.stop()
    throw error
  }
}

const SYSTEM_DATABASES = new Set(['postgres', 'template0', 'template1'])

/** An error of a trial, said so that it helps: the server that migrations are tried on is nobody's database. */
export function explainTrial(error: unknown): unknown {
  if (!(error instanceof ConnectionLostError)) return error
  return new LockstepError({
    code: 'DATABASE_UNREACHABLE',
    message: `The connection to the server that migrations are tried on was lost: ${error.message}`,
    state: 'The database has not been touched; what is tried, is tried on a server of its own.',
    remedy: 'Run it again. If it happens again, look in the log of that server for the statement that ends it.',
    cause: error,
  })
}
