import type pg from 'pg'
import type { Log } from '../log.ts'
import { chooseTables, readPartitionAncestors } from './chosen-tables.ts'
import { openConsistentView } from './consistent-view.ts'
import { readDatabaseProperties } from './database-properties.ts'
import { Fault } from './fault.ts'
import { listLargeObjects, NO_LARGE_OBJECTS } from './large-objects.ts'
import { manualRestoreCommands } from './manual-restore.ts'
import {
  formatManifest,
  MANIFEST_KEY,
  MANIFEST_VERSION,
  type SnapshotManifest,
  type SnapshotObject,
} from './manifest.ts'
import { writeText } from './object-transfer.ts'
import { refuseNewer } from './pg-dump.ts'
import type { Outlook } from './progress.ts'
import type { SnapshotSelection } from './scope.ts'
import { sequenceScript } from './sequences.ts'
import { prepareSession, type OpenSession } from './session.ts'
import type { SnapshotStore } from './store.ts'
import { together } from './together.ts'
import { planData, writeData, type DataPlan, type WrittenData } from './write-data.ts'
import { writeSchema } from './write-schema.ts'

export interface SnapshotJob {
  readonly open: OpenSession
  /** Ends all sessions at once. */
  readonly cut: (reason: unknown) => void
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
  /** Whether large objects are copied. @default true */
  readonly withLargeObjects?: boolean
  readonly log: Log
}

/** Writes all objects of a snapshot under the prefix, its manifest last. */
export async function takeSnapshot(job: SnapshotJob): Promise<SnapshotManifest> {
  const { client } = job
  const { draft, snapshotId, plan } = await beginSnapshot(job)
  const schemaWritten = writeSchema(job)
  const coordinator = schemaWritten.then(() => client)
  const { encoding } = draft.database
  const [schema, data] = await together(
    [schemaWritten, writeData({ ...job, coordinator, snapshotId, encoding }, plan)],
    job.cut,
  )
  await client.query('COMMIT')
  return finishSnapshot(job, { ...draft, schema }, data)
}

/** What is known of a snapshot before its rows are copied. */
export interface SnapshotDraft {
  readonly server: SnapshotManifest['server']
  readonly database: SnapshotManifest['database']
  readonly unmatched: readonly string[]
  readonly sequences: SnapshotObject
}

interface BegunSnapshot {
  readonly draft: SnapshotDraft
  /** Of the view that the session holds. */
  readonly snapshotId: string
  readonly plan: DataPlan
}

/** Fixes the view, and plans what is to be copied of it. */
export async function beginSnapshot(job: SnapshotJob): Promise<BegunSnapshot> {
  const { client } = job
  await prepareSession(client)
  const server = await readServer(client)
  refuseNewer(server.versionNumber, server.version)
  const view = await openConsistentView(client)
  const largeObjects = job.withLargeObjects === false ? NO_LARGE_OBJECTS : await listLargeObjects(client)
  const database = await readDatabaseProperties(client)
  const sequences = await writeText(job.store, at(job, 'sequences.sql'), await sequenceScript(client, view.sequences))
  const chosen = chooseTables(view.tables, await readPartitionAncestors(client), job.selection)
  warnOfUnmatched(job, chosen.unmatched)
  const draft = { server, database, unmatched: chosen.unmatched, sequences }
  return { draft, snapshotId: view.snapshotId, plan: await planData(job, chosen.tables, largeObjects) }
}

/** Makes sure that everything is stored, and writes the manifest: from then on there is a snapshot. */
export async function finishSnapshot(
  job: Pick<SnapshotJob, 'store' | 'prefix' | 'runId' | 'selection' | 'createdAt'>,
  draft: SnapshotDraft & { readonly schema: readonly SnapshotObject[] },
  data: WrittenData,
): Promise<SnapshotManifest> {
  const { server, database, unmatched, schema, sequences } = draft
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
    unmatched,
    copied: data.copied,
    bytes: objects.reduce((total, object) => total + object.bytes, 0),
    rows: data.tables.reduce((total, table) => total + table.rows, 0),
    tables: data.tables,
    largeObjects: data.largeObjects,
    objects,
    restore: manualRestoreCommands(database, server.versionNumber, data.tables, data.largeObjects),
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

function warnOfUnmatched({ log }: SnapshotJob, unmatched: readonly string[]): void {
  if (unmatched.length === 0) return
  log.warn('no table fits what the snapshot was told to copy or to leave out; is it mistyped?', { unmatched })
}

/** A snapshot counts as taken only when the store itself says that everything is there. */
async function verifyStored(
  job: Pick<SnapshotJob, 'store' | 'prefix'>,
  objects: readonly SnapshotObject[],
): Promise<void> {
  const stored = new Set(await job.store.list(`${job.prefix}/`))
  const missing = objects.filter(({ key }) => !stored.has(`${job.prefix}/${key}`)).map(({ key }) => key)
  if (missing.length === 0) return
  throw new Fault(`the store took ${missing.join(', ')} but does not list it.`, 'Try again; check the store.')
}

function at(job: Pick<SnapshotJob, 'prefix'>, key: string): { readonly prefix: string; readonly key: string } {
  return { prefix: job.prefix, key }
}
