import type pg from 'pg'
import type { Log } from '../log.ts'
import { countLargeObjects, measureTables } from './catalog.ts'
import { chooseTables, readPartitionAncestors, type ChosenTable } from './chosen-tables.ts'
import { openConsistentView, type ConsistentView } from './consistent-view.ts'
import type { CopiedTask } from './copy-out.ts'
import { planCopies } from './copy-plan.ts'
import { copyTasks } from './copy-workers.ts'
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
import { writeText } from './object-transfer.ts'
import { dumpSchema, refuseNewer } from './pg-dump.ts'
import { createProgress, type Outlook } from './progress.ts'
import type { SnapshotSelection } from './scope.ts'
import { sequenceScript } from './sequences.ts'
import { prepareSession, socketOf, type OpenSession } from './session.ts'
import type { SnapshotStore } from './store.ts'
import { together } from './together.ts'

export interface SnapshotJob {
  readonly open: OpenSession
  /** Ends all sessions at once. */
  readonly cut: () => void
  /** How many sessions copy rows at the same time. */
  readonly workers: number
  /** The session that holds the consistent view and copies the rows. */
  readonly client: pg.Client
  readonly store: SnapshotStore
  readonly prefix: string
  readonly runId: string
  readonly selection: SnapshotSelection
  readonly createdAt: Date
  readonly onOutlook: (outlook: Outlook) => void
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
  const chosen = chooseTables(view.tables, await readPartitionAncestors(client), job.selection)
  warnOfUnmatched(job, chosen.unmatched)
  // Before the workers': the snapshot can do without them.
  const schemaSession = await job.open()
  const [schema, data] = await together(
    [
      writeSchema(job, schemaSession, view.snapshotId),
      writeData(job, view, { chosen: chosen.tables, encoding: database.encoding }),
    ],
    job.cut,
  )
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
    copied: data.copied,
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

/** Both sections on one session, which ends at once: it holds locks on every table. */
async function writeSchema(job: SnapshotJob, client: pg.Client, snapshotId: string): Promise<SnapshotObject[]> {
  const objects: SnapshotObject[] = []
  for (const section of ['pre-data', 'post-data'] as const) {
    await prepareSession(client)
    const sql = await lend(client, () => dumpSchema(client, section, snapshotId))
    await client.query('ROLLBACK')
    await client.query('DISCARD ALL')
    objects.push(await writeText(job.store, at(job, `${section}.sql`), sql))
  }
  await client.end()
  return objects
}

/** Gives the session back to the driver when `work`, which reads its socket, is done. */
async function lend<T>(client: pg.Client, work: () => Promise<T>): Promise<T> {
  const socket = socketOf(client)
  const driver = socket.listeners('data') as ((chunk: Buffer) => void)[]
  const result = await work()
  for (const listener of driver) socket.on('data', listener)
  return result
}

interface WrittenData {
  readonly tables: readonly SnapshotTable[]
  readonly copied: SnapshotManifest['copied']
  readonly objects: readonly SnapshotObject[]
}

async function writeData(
  job: SnapshotJob,
  view: ConsistentView,
  { chosen, encoding }: { readonly chosen: readonly ChosenTable[]; readonly encoding: string },
): Promise<WrittenData> {
  const began = performance.now()
  const wanted = chosen.filter(({ omitted }) => omitted === null).map(({ table }) => table)
  const tables = await measureTables(job.client, wanted)
  const tasks = planCopies(tables, job.workers)
  const work = tasks.reduce((total, task) => total + task.bytes, 0)
  const progress = createProgress(job.log, 'Copying tables to the snapshot', tables.length, work, job.onOutlook)
  const { client: coordinator } = job
  const copied = await copyTasks({ ...job, coordinator, snapshotId: view.snapshotId, encoding, progress }, tasks)
  return {
    tables: describeTables(chosen, copied),
    copied: {
      tableBytes: tables.reduce((total, { bytes }) => total + bytes, 0),
      durationMs: Math.round(performance.now() - began),
      workers: job.workers,
    },
    objects: copied.map(({ object }) => object),
  }
}

function describeTables(chosen: readonly ChosenTable[], copied: readonly CopiedTask[]): readonly SnapshotTable[] {
  const parts = Map.groupBy(
    copied.flatMap((task) => task.parts),
    ({ table }) => table.oid,
  )
  return chosen.map(({ table, omitted }) => {
    const own = (parts.get(table.oid) ?? []).map(({ part }) => part)
    const rows = own.reduce((total, part) => total + part.rows, 0)
    const { schema, name, columns, filter } = table
    return {
      schema,
      name,
      columns,
      filter,
      omitted,
      rows,
      parts: own.toSorted((a, b) => (a.key < b.key ? -1 : 1)),
    }
  })
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
