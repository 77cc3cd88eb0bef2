import { randomUUID } from 'node:crypto'
import { SqlError, type Connection } from '../../lambda/engine/database.ts'
import type { Migration } from '../../lambda/engine/migration/migration.ts'
import type { Log } from '../../lambda/log.ts'
import { mentionedIn } from '../shadow/mentioned.ts'
import { startShadowServer, type ShadowServer } from '../shadow/shadow-server.ts'
import { loadMaterial } from './load-material.ts'
import { dropAbandoned, markKept, markScratch } from './mark.ts'
import { majorOf, type Material } from './material.ts'
import { dropSubscriptions } from './outside.ts'

/** The copy on which the deployment is rehearsed. */
export interface Scratch {
  readonly server: ShadowServer
  readonly database: string
  /** A session in it that no run uses: nobody takes the database for an abandoned one. */
  readonly session: Connection
  /** A sentence for everything that is not as in the original. */
  readonly notes: readonly string[]
  /** Drops what was made, but for the database where it is to be kept. */
  readonly remove: (keep: boolean) => Promise<void>
}

export interface ScratchOptions {
  /** Major version of the embedded server. @default that of the original */
  readonly major: number | null
  /** A scratch server. Null: an embedded one */
  readonly shadowUrl: string | null
  readonly migrations: readonly Migration[]
  readonly workers: number
  readonly log: Log
  readonly signal: AbortSignal
}

/**
 * Starts the server and makes the copy on it.
 *
 * @throws LockstepError `CONFIG_INVALID`, `DATABASE_UNREACHABLE`, `RESTORE_FAILED`.
 */
export async function openScratch(material: Material, options: ScratchOptions): Promise<Scratch> {
  const { shadowUrl, log } = options
  const original = majorOf(material.manifest)
  log.info('Starting the scratch server', { postgres: options.major ?? original })
  const major = options.major ?? (shadowUrl === null ? original : undefined)
  const server = await startShadowServer({ major, url: shadowUrl })
  const made: { database: string | null; session: Connection | null } = { database: null, session: null }
  const remove = async (keep: boolean): Promise<void> => {
    if (keep && made.database !== null && made.session !== null)
      await markKept(made.session, made.database, material.source.database)
    if (!keep && made.session?.isOpen() === true) await dropSubscriptions(made.session).catch(() => {})
    await made.session?.close()
    if (!keep && made.database !== null) await server.dropDatabase(made.database).catch(() => {})
    await server.stop()
  }
  try {
    if (!server.isOwn) await dropAbandoned(server)
    const { roles, databases } = await mentionedIn(options.migrations)
    await server.createRoles(roles.filter((role) => material.live?.roles.has(role) ?? true)).catch(ignoreRefusal)
    const database = nameFor(server, material)
    made.database = database
    const notes = await loadMaterial(server, material, { into: database, ...options })
    const session = await server.connect(database)
    made.session = session
    await markScratch(session, database, material.source.database)
    if (server.isOwn) await makeDatabases(server, databases, database)
    return { server, database, session, notes: [...versionNotes(server, original), ...notes], remove }
  } catch (error) {
    await remove(false)
    throw error
  }
}

const SYSTEM_DATABASES = ['postgres', 'template0', 'template1']

/** Migrations may call the database by its name; on a server that others use, it may be taken. */
function nameFor({ isOwn }: ShadowServer, { manifest }: Material): string {
  const { name } = manifest.database
  return isOwn && !SYSTEM_DATABASES.includes(name) ? name : `lockstep_rehearsal_${randomUUID().slice(0, 8)}`
}

async function makeDatabases(server: ShadowServer, names: readonly string[], own: string): Promise<void> {
  for (const name of names) if (name !== own && !SYSTEM_DATABASES.includes(name)) await server.createDatabase({ name })
}

/** Of the server: what needs the roles will say so. */
function ignoreRefusal(error: unknown): readonly string[] {
  if (error instanceof SqlError) return []
  throw error
}

function versionNotes({ major }: ShadowServer, original: number): readonly string[] {
  return major === original ? [] : [`The scratch server is PostgreSQL ${major}, the original ${original}.`]
}
