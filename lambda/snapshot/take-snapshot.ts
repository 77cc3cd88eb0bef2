import type pg from 'pg'
import type { Log } from '../log.ts'
import { countLargeObjects } from './catalog.ts'
import { chooseTables, readPartitionAncestors, type ChosenTable } from './chosen-tables.ts'
import { openConsistentView, type ConsistentView } from './consistent-view.ts'
import { copyTableOut } from './copy-out.ts'
import { readDatabaseProperties } from './database-properties.ts'
import { Fault } from './fault.ts'
import { manualRestoreCommands } from './manual-restore.ts'
import {
  formatManifest,
  MANIFEST_KEY,
  MANIFEST_VERSION,
  type SnapshotManifest,
  type SnapshotObject,
  type SnapshotTable,
} from './manifest.ts'
import { dataKey } from './names.ts'
import { writeText } from './object-transfer.ts'
import { dumpSchema, refuseNewer, type SchemaSection } from './pg-dump.ts'
import { createProgress } from './progress.ts'
import type { SnapshotSelection } from './scope.ts'
import { sequenceScript } from './sequences.ts'
import { prepareSession, type OpenSession } from './session.ts'
import type { SnapshotStore } from './store.ts'

export interface SnapshotJob {
  readonly open: OpenSession
  /** The session that holds the consistent view and copies the rows. */
  readonly client: pg.Client
  readonly store: SnapshotStore
  readonly prefix: string
  readonly runId: string
  readonly selection: SnapshotSelection
  readonly createdAt: Date
  readonly log: Log
}

/** Writes all objects of a snapshot under the prefix, its manifest last. */
export async function takeSnapshot(job: SnapshotJob): Promise<SnapshotManifest> {
  const { client } = job
  await prepareSession(client)
  const server = await readServer(client)
  refuseNewer(server.versionNumber, server.version)
  const view = await openConsistentView(client)
  await refuseLargeObjects(client)
  const database = await readDatabaseProperties(client)
  const sequences = await writeText(job.store, at(job, 'sequences.sql'), await sequenceScript(client, view.sequences))
  const schema = [await writeSchema(job, view, 'pre-data'), await writeSchema(job, view, 'post-data')]
  const chosen = chooseTables(view.tables, await readPartitionAncestors(client), job.selection)
  warnOfUnmatched(job, chosen.unmatched)
  const data = await writeData(job, chosen.tables, database.encoding)
  await client.query('COMMIT')
  const objects = [...schema, sequences, ...data.objects]
  await verifyStored(job, objects)
  const manifest: SnapshotManifest = {
    version: MANIFEST_VERSION,
    runId: job.runId,
    createdAt: job.createdAt.toISOString(),
    server,
    database,
    scope: job.selection.scope,
    exclude: job.selection.exclude,
    unmatched: chosen.unmatched,
    bytes: objects.reduce((total, object) => total + object.bytes, 0),
    rows: data.tables.reduce((total, table) => total + table.rows, 0),
    tables: data.tables,
    objects,
    restore: manualRestoreCommands(database, server.versionNumber, data.tables),
  }
  await writeText(job.store, at(job, MANIFEST_KEY), formatManifest(manifest))
  return manifest
}

async function readServer(client: pg.Client): Promise<SnapshotManifest['server']> {
  const result = await client.query<{ version: string; number: string }>(
    `SELECT current_setting('server_version') AS version, current_setting('server_version_num') AS number`,
  )
  const row = result.rows[0]
  return { version: row?.version ?? 'unknown', versionNumber: Number(row?.number ?? 0) }
}

async function refuseLargeObjects(client: pg.Client): Promise<void> {
  const count = await countLargeObjects(client)
  if (count === 0) return
  throw new Fault(
    `the database holds ${count} large object${count === 1 ? '' : 's'} (pg_largeobject), which a snapshot does not carry.`,
    'Move them into bytea columns, delete orphans with vacuumlo, or take a storage-level snapshot of the instance instead.',
  )
}

async function writeSchema(job: SnapshotJob, view: ConsistentView, section: SchemaSection): Promise<SnapshotObject> {
  const client = await job.open()
  await prepareSession(client)
  const sql = await dumpSchema(client, section, view.snapshotId)
  // At once: it holds locks on every table.
  await client.end()
  return writeText(job.store, at(job, `${section}.sql`), sql)
}

interface WrittenData {
  readonly tables: readonly SnapshotTable[]
  readonly objects: readonly SnapshotObject[]
}

async function writeData(job: SnapshotJob, chosen: readonly ChosenTable[], encoding: string): Promise<WrittenData> {
  const copied = chosen.filter(({ omitted }) => omitted === null)
  const progress = createProgress(job.log, 'Copying tables to the snapshot', copied.length)
  const tables: SnapshotTable[] = []
  const objects: SnapshotObject[] = []
  for (const [index, { table, omitted }] of chosen.entries()) {
    const { schema, name, columns, filter } = table
    if (omitted !== null) {
      tables.push({ schema, name, columns, filter, omitted, rows: 0, parts: [] })
      continue
    }
    const target = { ...at(job, dataKey(index, table)), store: job.store, encoding }
    const { object, rows } = await copyTableOut(job.client, target, table, progress.addBytes)
    const parts = [{ key: object.key, rows, slice: null }]
    tables.push({ schema, name, columns, filter, omitted, rows, parts })
    objects.push(object)
    progress.finishTable(rows)
  }
  return { tables, objects }
}

function warnOfUnmatched({ log }: SnapshotJob, unmatched: readonly string[]): void {
  if (unmatched.length === 0) return
  log.warn('no table fits what the snapshot was told to copy or to leave out; is it mistyped?', { unmatched })
}

/** A snapshot counts as taken only when the store itself says that everything is there. */
async function verifyStored(job: SnapshotJob, objects: readonly SnapshotObject[]): Promise<void> {
  const stored = new Set(await job.store.list(`${job.prefix}/`))
  const missing = objects.filter(({ key }) => !stored.has(`${job.prefix}/${key}`)).map(({ key }) => key)
  if (missing.length === 0) return
  throw new Fault(`the store took ${missing.join(', ')} but does not list it.`, 'Try again; check the store.')
}

function at(job: SnapshotJob, key: string): { readonly prefix: string; readonly key: string } {
  return { prefix: job.prefix, key }
}
