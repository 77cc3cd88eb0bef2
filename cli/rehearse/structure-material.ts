import type { Connection } from '../../lambda/engine/database.ts'
import { UNTOUCHED } from '../../lambda/errors.ts'
import type { Lockstep } from '../../lambda/lockstep.ts'
import type { DatabaseSetting } from '../../lambda/snapshot/database-properties.ts'
import { toLockstepError } from '../../lambda/snapshot/failure.ts'
import type { SnapshotManifest } from '../../lambda/snapshot/manifest.ts'
import { snapshotPrefix } from '../../lambda/snapshot/names.ts'
import { withSessions } from '../../lambda/snapshot/session.ts'
import { takeSnapshot } from '../../lambda/snapshot/take-snapshot.ts'
import type { LiveFacts, Material } from './material.ts'
import { readRelationPages } from './planner-statistics.ts'
import { readSizes } from './sizes.ts'

/**
 * Copies the structure of the live database, with the rows of Lockstep's own tables and the states of sequences, into the
 * store of the composition. The database is only read, as for a snapshot.
 *
 * @throws LockstepError `SNAPSHOT_FAILED`, also for a table that may not be read; `DATABASE_UNREACHABLE`.
 */
export async function structureMaterial(lockstep: Lockstep): Promise<Material> {
  const { store, openClient, now, log } = lockstep.snapshots()
  const { historySchema } = lockstep.config
  const database = await lockstep.databaseName()
  const live = await readFacts(lockstep, database)
  const createdAt = now()
  const prefix = snapshotPrefix(database, createdAt, 'structure')
  log.info('Copying the structure of the database', { database })
  try {
    const written = await withSessions({ openClient, signal: lockstep.signal }, async (open, cut) =>
      takeSnapshot({
        open,
        cut,
        client: await open(),
        workers: 1,
        store,
        prefix,
        runId: 'structure',
        selection: { scope: { kind: 'affected', tables: [] }, exclude: [], historySchema },
        createdAt,
        onOutlook: () => {},
        withLargeObjects: false,
        log,
      }),
    )
    const { version } = written.server
    const withoutRows = null
    const source = {
      kind: 'structure',
      database,
      uri: null,
      at: written.createdAt,
      serverVersion: version,
      withoutRows,
    } as const
    return { store, prefix, manifest: withAllTables(written), source, live }
  } catch (error) {
    const subject = `Copying the structure of "${database}"`
    throw toLockstepError(error, { code: 'SNAPSHOT_FAILED', subject, state: UNTOUCHED, signal: lockstep.signal })
  }
}

/** All tables are empty alike: no foreign key refers to rows that are missing. */
function withAllTables(manifest: SnapshotManifest): SnapshotManifest {
  return { ...manifest, tables: manifest.tables.map((table) => ({ ...table, omitted: null })) }
}

async function readFacts(lockstep: Lockstep, database: string): Promise<LiveFacts> {
  const { historySchema: history } = lockstep.config
  const connection = await lockstep.connect()
  try {
    await connection.execute('SET default_transaction_read_only = on')
    return {
      sizes: await readSizes(connection, database, history),
      pages: await readRelationPages(connection, history),
      settings: await readSessionSettings(connection),
      roles: await readRoles(connection),
    }
  } finally {
    await connection.close()
  }
}

/** What the role, or the server, gives the sessions of this user. What the database gives them goes with the structure. */
async function readSessionSettings(connection: Connection): Promise<readonly DatabaseSetting[]> {
  const { rows } = await connection.query(
    `SELECT name, setting AS value FROM pg_catalog.pg_settings
WHERE context IN ('user', 'superuser') AND (source IN ('user', 'database user') OR name IN ('TimeZone', 'search_path'))
  AND source <> 'default' AND name !~ 'preload_libraries$|tablespace|^application_name$'`,
  )
  return rows.map((row) => ({ role: null, name: String(row.name), value: String(row.value) }))
}

async function readRoles(connection: Connection): Promise<ReadonlySet<string>> {
  const { rows } = await connection.query('SELECT rolname::text AS name FROM pg_catalog.pg_roles')
  return new Set(rows.map((row) => String(row.name)))
}
