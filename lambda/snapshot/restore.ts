import type pg from 'pg'
import type { RestoreResult } from '../contract.ts'
import { messageOf, UNTOUCHED } from '../errors.ts'
import { quoteIdentifier } from '../engine/database.ts'
import { createDatabaseSql } from './database-properties.ts'
import { databasePropertiesSql } from './database-properties-sql.ts'
import { sqlStateOf, toLockstepError } from './failure.ts'
import { prefixOf } from './snapshot-uri.ts'
import { connectedDatabase, openMaintenance } from './maintenance.ts'
import { restoreContent, type RestoreSource } from './restore-content.ts'
import { checkDatabaseName, planRestore, type RestorePlan } from './restore-plan.ts'
import { openSource } from './restore-source.ts'
import { prepareSession, withSessions, type OpenSession } from './session.ts'
import type { SnapshotContext } from './snapshot.ts'
import { renameAll } from './swap.ts'

interface RestoreInput {
  readonly uri: string
  /** @default the name of the original, which is replaced */
  readonly into?: string
  /** Completes the copy while nobody else can reach it. What it throws fails the restore. @default nothing */
  readonly seal?: (copy: Sealable) => Promise<void>
}

/** A verified copy, just before it gets its name. */
export interface Sealable {
  /** The name that it has now. */
  readonly database: string
  /** The name that the replaced database will have; null when none is replaced. */
  readonly replaced: string | null
}

/**
 * Puts a snapshot into a new database, verifies it, and gives it the name of the original, which is kept under a dated
 * name. With `into` the new database gets that name and nothing is replaced. Until the very end, and whatever fails,
 * the original serves under its name; nothing is ever lost.
 *
 * @throws LockstepError `RESTORE_FAILED`; `CONFIG_INVALID` for a uri outside the store, a name that cannot be one, or
 *   a snapshot of another database than the configured one; `DATABASE_UNREACHABLE`.
 */
export async function restoreSnapshot(context: SnapshotContext, input: RestoreInput): Promise<RestoreResult> {
  const started = performance.now()
  const prefix = prefixOf(context.store, input.uri)
  if (input.into !== undefined) checkDatabaseName(input.into)
  const progress: Progress = { plan: null, copyOid: null }
  const result = ({ manifest }: RestoreSource, plan: RestorePlan): RestoreResult => ({
    database: plan.target,
    tables: manifest.tables.length,
    rows: manifest.rows,
    replaced: plan.replaced,
    durationMs: Math.round(performance.now() - started),
  })
  let source: RestoreSource | null = null
  try {
    source = await openSource(context.store, prefix)
    const plan = await restoreAndRename(context, source, input, progress)
    context.log.info('Restored the snapshot', { database: plan.target, replaced: plan.replaced })
    return result(source, plan)
  } catch (error) {
    const outcome = await settle(context, progress)
    // The answer to COMMIT was lost, but not the COMMIT.
    if (outcome.renamed && source !== null && progress.plan !== null) return result(source, progress.plan)
    const subject = `Restoring ${context.store.uri}/${prefix}`
    throw toLockstepError(error, { code: 'RESTORE_FAILED', subject, state: outcome.state, signal: context.signal })
  }
}

/** How far a restore has come, for whoever has to clean up after it. */
interface Progress {
  plan: RestorePlan | null
  /** Of the half-made copy, whatever its name; null before there is one. */
  copyOid: string | null
}

async function restoreAndRename(
  context: SnapshotContext,
  source: RestoreSource,
  input: RestoreInput,
  progress: Progress,
): Promise<RestorePlan> {
  return withSessions(context, async (open) => {
    const { database } = source.manifest
    const maintenance = await openMaintenance(open, input.into ?? database.name)
    const plan = await planRestore(maintenance, {
      uri: input.uri,
      original: database.name,
      into: input.into,
      connected: input.into === undefined ? await connectedDatabase(open) : null,
      now: context.now(),
    })
    progress.copyOid = await createStaging(maintenance, source, plan, progress)
    await build(context, open, source, plan)
    await input.seal?.({ database: plan.staging, replaced: plan.replaced })
    for (const sql of databasePropertiesSql(database, quoteIdentifier(plan.staging))) await maintenance.query(sql)
    const usher = await openMaintenance(open, plan.target)
    const aside = plan.replaced === null ? [] : [{ from: plan.target, to: plan.replaced }]
    await renameAll(maintenance, usher, [...aside, { from: plan.staging, to: plan.target }])
    return plan
  })
}

/** Makes an empty database like the original; resolves with its oid. */
async function createStaging(
  maintenance: pg.Client,
  { manifest }: RestoreSource,
  plan: RestorePlan,
  progress: Progress,
): Promise<string | null> {
  await prepareSession(maintenance)
  const sql = createDatabaseSql(manifest.database, plan.staging, await serverVersion(maintenance))
  progress.plan = plan
  try {
    await maintenance.query(sql)
  } catch (error) {
    // Refused: nothing was made, and what may bear the name is somebody else's.
    if (sqlStateOf(error) !== undefined) progress.plan = null
    throw error
  }
  const result = await maintenance.query<{ oid: string }>(
    'SELECT oid::text AS oid FROM pg_catalog.pg_database WHERE datname = $1',
    [plan.staging],
  )
  return result.rows[0]?.oid ?? null
}

async function serverVersion(client: pg.Client): Promise<number> {
  const result = await client.query<{ version: string }>(`SELECT current_setting('server_version_num') AS version`)
  return Number(result.rows[0]?.version)
}

async function build(
  context: SnapshotContext,
  open: OpenSession,
  source: RestoreSource,
  { staging }: RestorePlan,
): Promise<void> {
  context.log.info('Restoring the snapshot into a new database', { database: staging })
  const client = await open(staging)
  await restoreContent(client, source, context.log)
  // A database cannot be renamed while we are in it.
  await client.end()
}

interface Outcome {
  readonly renamed: boolean
  /** A sentence: how things stand. */
  readonly state: string
}

/** After a failure: drops what was half made, and finds out how things stand. */
async function settle(context: SnapshotContext, { plan, copyOid }: Progress): Promise<Outcome> {
  if (plan === null) return { renamed: false, state: UNTOUCHED }
  const standing = plan.replaced === null ? 'No database was changed' : `Database "${plan.target}" is as it was`
  try {
    const name = await dropCopy(context, plan, copyOid)
    return { renamed: name === plan.target, state: `${standing}, and the half-made copy has been dropped.` }
  } catch (error) {
    context.log.warn('Could not drop the half-made copy', { database: plan.staging, reason: messageOf(error) })
    return { renamed: false, state: `${standing}; the half-made copy "${plan.staging}" may remain and can be dropped.` }
  }
}

/** DROP DATABASE waits for every session of the server that does not answer, such as one whose client does not read. */
const DROP_PATIENCE_MS = 15_000

async function silentSessions(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{
    session: string
  }>(`SELECT format('pid %s, %s', pid, application_name) AS session
FROM pg_catalog.pg_stat_activity WHERE backend_type = 'client backend' AND wait_event = 'ClientWrite' LIMIT 3`)
  return rows.length === 0 ? '' : `; sessions whose clients do not read: ${rows.map((row) => row.session).join('; ')}`
}

/** Drops the copy unless it has become the target after all; resolves with the name that it had. */
async function dropCopy(context: SnapshotContext, plan: RestorePlan, oid: string | null): Promise<string | null> {
  // Its own session, without the signal: an aborted restore cleans up as well.
  return withSessions({ openClient: context.openClient }, async (open) => {
    const client = await openMaintenance(open, plan.target)
    const found = await client.query<{ name: string }>(
      'SELECT datname::text AS name FROM pg_catalog.pg_database WHERE oid::text = $1 OR ($1 IS NULL AND datname = $2)',
      [oid, plan.staging],
    )
    const name = found.rows[0]?.name ?? null
    if (name !== null && name !== plan.target) {
      await client.query(`SET statement_timeout = ${DROP_PATIENCE_MS}`)
      await client
        .query(`DROP DATABASE IF EXISTS ${quoteIdentifier(name)} WITH (FORCE)`)
        .catch(async (error: unknown) => {
          throw new Error(`${messageOf(error)}${await silentSessions(client)}`)
        })
    }
    return name
  })
}
