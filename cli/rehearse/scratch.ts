import { randomUUID } from 'node:crypto'
import type { Migration } from '../../lambda/engine/migration.ts'
import type { Log } from '../../lambda/log.ts'
import { mentionedIn } from '../shadow/mentioned.ts'
import { startShadowServer, type ShadowServer } from '../shadow/shadow-server.ts'
import { loadMaterial } from './load-material.ts'
import { majorOf, type Material } from './material.ts'

/** The copy on which the deployment is rehearsed. */
export interface Scratch {
  readonly server: ShadowServer
  readonly database: string
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
  const names = await mentionedIn(options.migrations)
  const database = nameFor(server, material)
  const remove = async (keep: boolean): Promise<void> => {
    if (!keep) await server.dropDatabase(database).catch(() => {})
    await server.stop()
  }
  try {
    await server.createRoles(names.roles.filter((role) => material.live?.roles.has(role) ?? true)).catch(ignoreRefusal)
    const notes = await loadMaterial(server, material, { into: database, ...options })
    if (server.isOwn) await makeDatabases(server, names.databases, database)
    return { server, database, notes: [...versionNotes(server, original), ...notes], remove }
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
  if (error instanceof Error && 'sqlState' in error) return []
  throw error
}

function versionNotes({ major }: ShadowServer, original: number): readonly string[] {
  return major === original ? [] : [`The scratch server is PostgreSQL ${major}, the original ${original}.`]
}
