import { Readable } from 'node:stream'
import type pg from 'pg'
import { quoteIdentifier, SqlError, type Connection } from '../../lambda/engine/database.ts'
import { UNTOUCHED } from '../../lambda/errors.ts'
import type { Log } from '../../lambda/log.ts'
import {
  createDatabaseSql,
  readDatabaseProperties,
  type DatabaseProperties,
} from '../../lambda/snapshot/database-properties.ts'
import { sqlStateOf, toLockstepError } from '../../lambda/snapshot/failure.ts'
import { formatManifest, MANIFEST_KEY } from '../../lambda/snapshot/manifest.ts'
import { rolesNeeded } from '../../lambda/snapshot/missing-roles.ts'
import { restoreSnapshot } from '../../lambda/snapshot/restore.ts'
import { readScripts } from '../../lambda/snapshot/restore-scripts.ts'
import { serverVersion } from '../../lambda/snapshot/staging.ts'
import type { SnapshotStore } from '../../lambda/snapshot/store.ts'
import { extensionError } from '../shadow/missing-extension.ts'
import type { ShadowServer } from '../shadow/shadow-server.ts'
import type { LiveFacts, Material } from './material.ts'
import { closeToOutside } from './outside.ts'
import { setRelationPages } from './planner-statistics.ts'

export interface LoadOptions {
  /** The name of the scratch database. */
  readonly into: string
  readonly workers: number
  readonly log: Log
  readonly signal: AbortSignal
}

/**
 * Makes the scratch database out of the material, with the code that restores a snapshot.
 *
 * @returns a sentence for everything that is not as in the original.
 * @throws LockstepError `RESTORE_FAILED`, `CONFIG_INVALID` for an extension that the server lacks, `DATABASE_UNREACHABLE`.
 */
export async function loadMaterial(
  server: ShadowServer,
  material: Material,
  { into, workers, log, signal }: LoadOptions,
): Promise<readonly string[]> {
  const { store, prefix, live } = material
  try {
    const roleNotes = await makeRoles(server, material)
    const { properties, notes } = await propertiesFor(server, material, into)
    const manifest = formatManifest({ ...material.manifest, database: properties })
    const context = {
      openClient: async (database = 'postgres') => server.openClient(database),
      store: withManifest(store, `${prefix}/${MANIFEST_KEY}`, manifest),
      log,
      now: () => new Date(),
      workers,
      signal,
    }
    const uri = `${store.uri}/${prefix}`
    const { warnings } = await restoreSnapshot(context, { uri, into, missingRoles: 'skip' })
    return [...roleNotes, ...notes, ...warnings, ...(await finish(server, into, live))]
  } catch (error) {
    throw explained(error, material, signal)
  }
}

/** The manifest of the copy says what this server can make; all else is read as it is. */
function withManifest(store: SnapshotStore, key: string, text: string): SnapshotStore {
  return {
    ...store,
    read: async (wanted) => (wanted === key ? Readable.from([Buffer.from(text)]) : store.read(wanted)),
  }
}

async function makeRoles(server: ShadowServer, { store, prefix, manifest }: Material): Promise<readonly string[]> {
  const scripts = await readScripts({ store, prefix, manifest }, server.major * 10_000)
  try {
    await server.createRoles(rolesNeeded(scripts, manifest.database))
    return []
  } catch (error) {
    // What belongs to them will belong to whoever restores, and each thing that is left out is told.
    if (!(error instanceof SqlError)) throw error
    return ['The user of --shadow-url may not create roles: those that are missing there are left out.']
  }
}

interface Adapted {
  readonly properties: DatabaseProperties
  readonly notes: readonly string[]
}

/** What would keep sessions out, or needs what is elsewhere, is not for a scratch database. */
const NOT_HERE = /preload_libraries$|tablespace|^default_transaction_read_only$/i

async function propertiesFor(server: ShadowServer, material: Material, into: string): Promise<Adapted> {
  const { database } = material.manifest
  const settings = [...database.settings.filter(({ name }) => !NOT_HERE.test(name)), ...(material.live?.settings ?? [])]
  const properties = { ...database, connectionLimit: -1, permissions: null, settings }
  const client = await server.openClient('postgres')
  try {
    if (await canMake(client, properties, into)) return { properties, notes: [] }
    const { encoding, locale } = await readDatabaseProperties(client)
    const own =
      encoding === properties.encoding ? locale : { ...locale, provider: 'libc' as const, collate: 'C', ctype: 'C' }
    const { provider, collate, name } = database.locale
    const wanted = name ?? collate
    return {
      properties: { ...properties, locale: own },
      notes: [
        `The scratch server does not have the locale "${wanted}" (${provider}): texts are sorted by "${own.name ?? own.collate}" there.`,
      ],
    }
  } finally {
    await client.end()
  }
}

/** Whether the server can make a database of this locale. The only way to know is to make one. */
async function canMake(client: pg.Client, properties: DatabaseProperties, name: string): Promise<boolean> {
  const { rows } = await client.query<{ owner: string }>('SELECT current_user::text AS owner')
  const owner = rows[0]?.owner ?? properties.owner
  try {
    await client.query(createDatabaseSql({ ...properties, owner }, name, await serverVersion(client)))
  } catch (error) {
    if (LOCALE_REFUSALS.has(sqlStateOf(error) ?? '')) return false
    throw error
  }
  await client.query(`DROP DATABASE ${quoteIdentifier(name)}`)
  return true
}

/**
 * wrong_object_type, invalid_parameter_value, feature_not_supported, invalid_object_definition (appendix A); syntax_error
 * of a server that is older than the provider.
 */
const LOCALE_REFUSALS = new Set(['42809', '22023', '0A000', '42P17', '42601'])

async function finish(server: ShadowServer, database: string, live: LiveFacts | null): Promise<readonly string[]> {
  const session = await server.connect(database)
  try {
    return [...(await closeToOutside(session)), ...(live === null ? [] : await setStatistics(session, live))]
  } finally {
    await session.close()
  }
}

async function setStatistics(session: Connection, { pages }: LiveFacts): Promise<readonly string[]> {
  try {
    await setRelationPages(session, pages)
    return []
  } catch (error) {
    if (!(error instanceof SqlError)) throw error
    return ['The user of --shadow-url may not set statistics: the planner takes the tables for empty, as they are.']
  }
}

function explained(thrown: unknown, { store, prefix, manifest }: Material, signal: AbortSignal): unknown {
  const subject = `Making a copy of ${store.uri}/${prefix} on the scratch server`
  const error = toLockstepError(thrown, { code: 'RESTORE_FAILED', subject, state: UNTOUCHED, signal })
  const [, extension] = /extension "([^"]+)" is not available/.exec(error.message) ?? []
  return extension === undefined ? error : extensionError(extension, `"${manifest.database.name}"`)
}
