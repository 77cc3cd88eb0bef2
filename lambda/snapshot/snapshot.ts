import type pg from 'pg'
import type { SnapshotListing, SnapshotResult } from '../contract.ts'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { DEFAULT_WORKERS } from './default-workers.ts'
import { abortedBy, toLockstepError } from './failure.ts'
import { removeAbandoned } from './incomplete.ts'
import { MANIFEST_KEY, type SnapshotManifest } from './manifest.ts'
import { databaseSegment, snapshotPrefix } from './names.ts'
import type { Outlook } from './progress.ts'
import { WHOLE_DATABASE, type SnapshotSelection } from './scope.ts'
import { withSessions, type OpenSession } from './session.ts'
import { dropLeftovers } from './staging.ts'
import type { SnapshotStore } from './store.ts'
import { readListedManifest } from './stored-manifest.ts'
import { recordingStore } from './recording-store.ts'
import { takeSnapshot } from './take-snapshot.ts'

/** What snapshots and restores work with. */
export interface SnapshotContext {
  /** Connected; the caller ends it. `database`: another database of the same server. */
  readonly openClient: OpenSession
  readonly store: SnapshotStore
  readonly log: Log
  readonly now: () => Date
  /** How many sessions copy rows, and build indexes in a restore, at the same time. @default one more than there are cores, at most 4 */
  readonly workers?: number
  /** Told now and then how copying goes on. @default nobody is */
  readonly onOutlook?: (outlook: Outlook) => void
  /** Aborting ends the work, removes what it made, and rejects. */
  readonly signal?: AbortSignal
}

/**
 * Takes a consistent logical copy of the database that `openClient` connects to: schema, rows and sequences as of one
 * instant, while everybody goes on working. When it fails or is aborted, what it wrote is removed.
 *
 * @param input.selection Whose rows to copy. @default those of all tables
 * @throws LockstepError `SNAPSHOT_FAILED`, or `DATABASE_UNREACHABLE`.
 */
export async function createSnapshot(
  context: SnapshotContext,
  input: { readonly runId: string; readonly selection?: SnapshotSelection },
): Promise<SnapshotResult> {
  const started = performance.now()
  const { store, written } = recordingStore(context.store)
  let subject = 'The snapshot'
  try {
    return await withSessions(context, async (open, cut) => {
      const client = await open()
      const database = await currentDatabase(client)
      subject = `The snapshot of database "${database}"`
      const createdAt = context.now()
      const prefix = snapshotPrefix(database, createdAt, input.runId)
      const { log, workers = DEFAULT_WORKERS, onOutlook = () => {} } = context
      const { runId, selection = WHOLE_DATABASE } = input
      const what = { prefix, runId, selection, createdAt }
      await dropLeftovers(client, open, log)
      const manifest = await takeSnapshot({ open, cut, client, store, log, workers, onOutlook, ...what })
      await removeAbandoned(context.store, database, createdAt, log)
      return snapshotResult(manifest, `${context.store.uri}/${prefix}`, performance.now() - started)
    })
  } catch (error) {
    const signal = abortedBy(context.signal)
    const removed = await removeWritten(context, written())
    const rest = removed ? 'nothing of the snapshot was kept' : 'an incomplete snapshot without a manifest was left'
    const state = `The database has not been touched, and ${rest}.`
    throw toLockstepError(error, { code: 'SNAPSHOT_FAILED', subject, state, signal })
  }
}

/** The name of the database that the session is on. */
export async function currentDatabase(client: pg.Client): Promise<string> {
  const result = await client.query<{ name: string }>('SELECT current_database() AS name')
  return result.rows[0]?.name ?? ''
}

/** What is told of a finished snapshot. */
export function snapshotResult(manifest: SnapshotManifest, uri: string, durationMs: number): SnapshotResult {
  return { uri, ...sizeOf(manifest), durationMs: Math.round(durationMs) }
}

function sizeOf({ bytes, rows, database, tables }: SnapshotManifest) {
  const omittedTables = tables.filter(({ omitted }) => omitted !== null).length
  return { database: database.name, bytes, tables: tables.length - omittedTables, omittedTables, rows }
}

async function removeWritten(context: SnapshotContext, keys: readonly string[]): Promise<boolean> {
  // The manifest first: it must not outlive the objects that it promises, should its write have succeeded after all.
  const manifests = keys.filter((key) => key.endsWith(`/${MANIFEST_KEY}`))
  const others = keys.filter((key) => !key.endsWith(`/${MANIFEST_KEY}`))
  try {
    if (manifests.length > 0) await context.store.remove(manifests)
    if (others.length > 0) await context.store.remove(others)
    return true
  } catch (error) {
    context.log.warn('Could not remove an incomplete snapshot', { keys, reason: messageOf(error) })
    return false
  }
}

/**
 * The complete snapshots of the store, newest first; incomplete and unreadable ones are left out.
 *
 * @param database Only those of this database. @default all
 * @throws LockstepError `SNAPSHOT_FAILED` when the store cannot be read.
 */
export async function listSnapshots(
  context: Pick<SnapshotContext, 'store'>,
  database?: string,
): Promise<readonly SnapshotListing[]> {
  const { store } = context
  try {
    const keys = await store.list(database === undefined ? '' : `${databaseSegment(database)}/`)
    const manifests = keys.filter((key) => /^[^/]+\/[^/]+\/manifest\.json$/.test(key))
    const listings = await Promise.all(manifests.map(async (key) => readListing(store, key)))
    return listings.filter((listing) => listing !== null).toSorted((a, b) => (a.createdAt < b.createdAt ? 1 : -1))
  } catch (error) {
    const state = 'The database has not been touched.'
    throw toLockstepError(error, { code: 'SNAPSHOT_FAILED', subject: 'Listing the snapshots', state })
  }
}

async function readListing(store: SnapshotStore, key: string): Promise<SnapshotListing | null> {
  const manifest = await readListedManifest(store, key)
  if (manifest === null) return null
  const uri = `${store.uri}/${key.slice(0, -MANIFEST_KEY.length - 1)}`
  return { uri, createdAt: manifest.createdAt, ...sizeOf(manifest) }
}
