import type pg from 'pg'
import { messageOf, UNTOUCHED } from '../errors.ts'
import type { RestoredTable, RestoreResult } from '../snapshot-contract.ts'
import { chooseCopies, keyOf, type Copy } from './chosen-copies.ts'
import { abortedBy, sqlStateOf, toLockstepError } from './failure.ts'
import { Fault } from './fault.ts'
import { fillCopies } from './fill-copies.ts'
import { openMaintenance } from './maintenance.ts'
import { settleRoles } from './missing-roles.ts'
import { datedDatabaseName } from './names.ts'
import { checkDatabaseName, freeStagingName } from './restore-plan.ts'
import { readScripts, type RestoreScripts } from './restore-scripts.ts'
import { openSource, type RestoreSource } from './restore-source.ts'
import { prepareSession, withSessions, type OpenSession } from './session.ts'
import type { SnapshotContext } from './snapshot.ts'
import { prefixOf } from './snapshot-uri.ts'
import { createStaging, dropCopy, dropLeftovers, serverVersion } from './staging.ts'
import { structureOf, type TableStructure } from './table-structure.ts'

export interface TablesInput {
  readonly uri: string
  /** `schema.table`. A partitioned table comes with its partitions. */
  readonly tables: readonly string[]
  /** Must not exist yet. @default `<schema>_restored_<time>` for each schema */
  readonly intoSchema?: string
}

/**
 * Restores tables beside the originals: into new schemas of the configured database, with their rows, indexes, checks,
 * defaults and sequences, in one transaction. The originals, and whatever refers to them, are not touched.
 *
 * @throws LockstepError `RESTORE_FAILED`, `CONFIG_INVALID`, `DATABASE_UNREACHABLE`.
 */
export async function restoreTables(context: SnapshotContext, input: TablesInput): Promise<RestoreResult> {
  const started = performance.now()
  const prefix = prefixOf(context.store, input.uri)
  if (input.intoSchema !== undefined) checkDatabaseName(input.intoSchema)
  const progress: Progress = { scratch: null, committing: null }
  const result = ({ database, copies }: Restored): RestoreResult => ({
    database,
    tables: copies.filter(({ rows }) => rows !== null).length,
    rows: copies.reduce((total, { rows }) => total + (rows?.rows ?? 0), 0),
    replaced: null,
    copies: copies.map(describe),
    warnings: [],
    durationMs: Math.round(performance.now() - started),
  })
  try {
    const source = await openSource(context.store, prefix)
    const restored = await restoreInto(context, source, input, progress)
    context.log.info('Restored tables beside their originals', {
      tables: restored.copies.map((copy) => describe(copy).restoredAs),
    })
    return result(restored)
  } catch (error) {
    const signal = abortedBy(context.signal)
    // The answer to COMMIT was lost, but not the COMMIT.
    if (progress.committing !== null && (await isThere(context, progress.committing)))
      return result(progress.committing)
    const state =
      progress.scratch === null ? UNTOUCHED : 'No table was restored, and the originals have not been touched.'
    const subject = `Restoring tables of ${context.store.uri}/${prefix}`
    throw toLockstepError(error, { code: 'RESTORE_FAILED', subject, state, signal })
  } finally {
    await dropScratch(context, progress)
  }
}

interface Restored {
  readonly database: string
  readonly copies: readonly Copy[]
}

/** How far a restore has come, for whoever has to clean up after it. */
interface Progress {
  /** The database in which the structure is found out; null before there is one. */
  scratch: { readonly name: string; readonly oid: string | null } | null
  /** Set when all is done but the commit. */
  committing: Restored | null
}

function describe({ schema, name, intoSchema, rows }: Copy): RestoredTable {
  return { table: keyOf({ schema, name }), restoredAs: keyOf({ schema: intoSchema, name }), rows: rows?.rows ?? 0 }
}

async function restoreInto(
  context: SnapshotContext,
  source: RestoreSource,
  { uri, tables, intoSchema }: TablesInput,
  progress: Progress,
): Promise<Restored> {
  const now = context.now()
  const place = (schema: string): string => intoSchema ?? datedDatabaseName(schema, 'restored', now)
  return withSessions(context, async (open) => {
    const client = await open()
    await prepareSession(client)
    const scripts = await readScripts(source, await serverVersion(client))
    const copies = chooseCopies(source.manifest, scripts.preData.statements, { tables, intoSchema: place })
    await refuseExisting(client, copies)
    const database = await currentDatabase(client)
    const scratch = { database, now, purpose: `for restoring tables of ${uri} into "${database}".` }
    const structure = await findStructure(context, open, { source, scripts, copies, scratch }, progress)
    await client.query('BEGIN')
    await fillCopies(client, source, { structure, copies, log: context.log })
    progress.committing = { database, copies }
    await client.query('COMMIT')
    return { database, copies }
  })
}

interface StructureJob {
  readonly source: RestoreSource
  readonly scripts: RestoreScripts
  readonly copies: readonly Copy[]
  readonly scratch: { readonly database: string; readonly now: Date; readonly purpose: string }
}

async function findStructure(
  context: SnapshotContext,
  open: OpenSession,
  { source, scripts, copies, scratch }: StructureJob,
  progress: Progress,
): Promise<TableStructure> {
  context.log.info('Finding out how the tables are made', { tables: copies.map(keyOf) })
  const maintenance = await openMaintenance(open, scratch.database)
  await prepareSession(maintenance)
  // Whom things belong to does not matter here.
  const settled = await settleRoles(maintenance, scripts, source.manifest.database, 'skip')
  await dropLeftovers(maintenance, open, context.log)
  const name = await freeStagingName(maintenance, scratch.database, scratch.now)
  await createStaging(maintenance, settled.properties, {
    name,
    purpose: scratch.purpose,
    onCreated: (oid) => void (progress.scratch = { name, oid }),
    onRefused: () => void (progress.scratch = null),
  })
  return withSessions(
    { openClient: async (_database, patience) => open(name, patience), signal: context.signal },
    async (openInside) => structureOf(openInside, settled.scripts, copies),
  )
}

async function currentDatabase(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ name: string }>('SELECT pg_catalog.current_database()::text AS name')
  return rows[0]?.name ?? ''
}

async function existing(client: pg.Client, copies: readonly Copy[]): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string }>(
    'SELECT nspname::text AS name FROM pg_catalog.pg_namespace WHERE nspname = ANY ($1) ORDER BY nspname',
    [copies.map(({ intoSchema }) => intoSchema)],
  )
  return rows.map(({ name }) => name)
}

async function refuseExisting(client: pg.Client, copies: readonly Copy[]): Promise<void> {
  const [schema] = await existing(client, copies)
  if (schema === undefined) return
  throw new Fault(
    `schema "${schema}" exists already, and tables are restored into new ones only.`,
    'Give a name that is not taken, or none: then each schema gets a dated one.',
  )
}

async function isThere(context: SnapshotContext, { copies }: Restored): Promise<boolean> {
  try {
    return await withSessions({ openClient: context.openClient }, async (open) => {
      const schemas = await existing(await open(), copies)
      return schemas.length > 0
    })
  } catch {
    // Nothing can be said; the first error tells why.
    return false
  }
}

async function dropScratch(context: SnapshotContext, { scratch }: Progress): Promise<void> {
  if (scratch === null) return
  try {
    // Its own session, without the signal: an aborted restore cleans up as well.
    await withSessions({ openClient: context.openClient }, async (open) =>
      dropCopy(await openMaintenance(open, scratch.name), open, { ...scratch, target: '' }),
    )
  } catch (error) {
    const fields = { database: scratch.name, reason: messageOf(error), sqlState: sqlStateOf(error) }
    context.log.warn('Could not drop the database that the structure was found out in', fields)
  }
}
