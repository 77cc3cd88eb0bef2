import type pg from 'pg'
import type { MissingRoles, RestoreResult } from '../snapshot-contract.ts'
import { messageOf, UNTOUCHED } from '../errors.ts'
import { quoteIdentifier } from '../engine/database.ts'
import type { DatabaseProperties } from './database-properties.ts'
import { databasePropertiesSql } from './database-properties-sql.ts'
import { abortedBy, toLockstepError } from './failure.ts'
import { connectedDatabase, openMaintenance } from './maintenance.ts'
import { settleRoles, type SettledRoles } from './missing-roles.ts'
import { refusedByOlder } from './older-server.ts'
import { refuseToReplace } from './partial-rows.ts'
import { restoreContent } from './restore-content.ts'
import { checkDatabaseName, planRestore, type RestorePlan } from './restore-plan.ts'
import { readScripts } from './restore-scripts.ts'
import { openSource, type RestoreSource } from './restore-source.ts'
import { prepareSession, withSessions, type OpenSession, type SessionSource } from './session.ts'
import { DEFAULT_WORKERS } from './default-workers.ts'
import type { SnapshotContext } from './snapshot.ts'
import { prefixOf } from './snapshot-uri.ts'
import { commentSql, connectionLimitSql, createStaging, dropCopy, dropLeftovers, serverVersion } from './staging.ts'
import { renameAll } from './swap.ts'

export interface RestoreInput {
  readonly uri: string
  /** @default the name of the original, which is replaced */
  readonly into?: string
  /** @default 'fail' */
  readonly missingRoles?: MissingRoles
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
  const progress: Progress = { plan: null, copyOid: null, warnings: [] }
  const result = ({ manifest }: RestoreSource, plan: RestorePlan): RestoreResult => ({
    database: plan.target,
    tables: manifest.tables.length,
    rows: manifest.rows,
    replaced: plan.replaced,
    warnings: progress.warnings,
    durationMs: Math.round(performance.now() - started),
  })
  let source: RestoreSource | null = null
  try {
    source = await openSource(context.store, prefix)
    if (input.into === undefined) refuseToReplace(source.manifest)
    const plan = await restoreAndRename(context, source, input, progress)
    context.log.info('Restored the snapshot', { database: plan.target, replaced: plan.replaced })
    return result(source, plan)
  } catch (error) {
    const signal = abortedBy(context.signal)
    const outcome = await settle(context, progress)
    // The answer to COMMIT was lost, but not the COMMIT.
    if (outcome.renamed && source !== null && progress.plan !== null) return result(source, progress.plan)
    const subject = `Restoring ${context.store.uri}/${prefix}`
    throw toLockstepError(error, { code: 'RESTORE_FAILED', subject, state: outcome.state, signal })
  }
}

/** How far a restore has come, for whoever has to clean up after it. */
interface Progress {
  plan: RestorePlan | null
  /** Of the half-made copy, whatever its name; null before there is one. */
  copyOid: string | null
  warnings: readonly string[]
}

async function restoreAndRename(
  context: SnapshotContext,
  source: RestoreSource,
  input: RestoreInput,
  progress: Progress,
): Promise<RestorePlan> {
  return withSessions(context, async (open) => {
    const original = source.manifest.database
    const maintenance = await openMaintenance(open, input.into ?? original.name)
    await prepareSession(maintenance)
    const version = await serverVersion(maintenance)
    const scripts = await readScripts(source, version)
    const now = context.now()
    const plan = await planRestore(maintenance, {
      uri: input.uri,
      original: original.name,
      into: input.into,
      connected: input.into === undefined ? await connectedDatabase(open) : null,
      now,
    })
    const settled = await settleRoles(maintenance, scripts, original, input.missingRoles ?? 'fail')
    progress.warnings = settled.warnings
    await dropLeftovers(maintenance, open, context.log)
    try {
      await createStaging(maintenance, settled.properties, {
        name: plan.staging,
        purpose: `it was to become "${plan.target}", from ${input.uri}, begun at ${now.toISOString()}.`,
        onCreated: (oid) => void Object.assign(progress, { plan, copyOid: oid }),
        onRefused: () => void (progress.plan = null),
      })
      const left = await build(context, open, source, { plan, settled })
      progress.warnings = [...progress.warnings, ...left]
    } catch (error) {
      throw refusedByOlder(error, source.manifest.server.versionNumber, version)
    }
    await input.seal?.({ database: plan.staging, replaced: plan.replaced })
    // The marks stay until the copy has its name.
    const unmarked = { ...settled.properties, comment: null, connectionLimit: -1 }
    const properties = databasePropertiesSql(unmarked, quoteIdentifier(plan.staging))
    for (const sql of properties) await maintenance.query(sql)
    const usher = await openMaintenance(open, plan.target)
    const aside = plan.replaced === null ? [] : [{ from: plan.target, to: plan.replaced }]
    const finish = await finishFor(maintenance, plan, settled.properties, { uri: input.uri, now })
    await renameAll(maintenance, usher, [...aside, { from: plan.staging, to: plan.target }], finish)
    return plan
  })
}

interface BuildJob {
  readonly plan: RestorePlan
  readonly settled: SettledRoles
}

/** Resolves with what was not restored as it was. */
async function build(
  context: SnapshotContext,
  open: OpenSession,
  source: RestoreSource,
  { plan, settled }: BuildJob,
): Promise<readonly string[]> {
  const { log, workers = DEFAULT_WORKERS } = context
  log.info('Restoring the snapshot into a new database', { database: plan.staging })
  // A database cannot be renamed while we are in it.
  const inside: SessionSource = {
    openClient: async (_database, patience) => open(plan.staging, patience),
    signal: context.signal,
  }
  return withSessions(inside, async (openInside, cut) =>
    restoreContent({
      source,
      scripts: settled.scripts,
      missingRoles: settled.missing,
      open: openInside,
      cut,
      workers,
      log,
    }),
  )
}

/** Tells whoever finds the replaced database what it is, and takes the marks from the new one. */
async function finishFor(
  client: pg.Client,
  { target, replaced }: RestorePlan,
  { comment, connectionLimit }: DatabaseProperties,
  { uri, now }: { readonly uri: string; readonly now: Date },
): Promise<readonly string[]> {
  const own = [commentSql(target, comment), connectionLimitSql(target, connectionLimit)]
  if (replaced === null) return own
  const { rows } = await client.query<{ comment: string | null }>(
    `SELECT pg_catalog.shobj_description(oid, 'pg_database') AS comment FROM pg_catalog.pg_database WHERE datname = $1`,
    [target],
  )
  const before = rows[0]?.comment ?? null
  const text =
    `"${target}" until ${now.toISOString()}, when Lockstep put the snapshot ${uri} in its place. ` +
    `Drop it when nothing in it is needed any more: DROP DATABASE ${quoteIdentifier(replaced)};`
  return [...own, commentSql(replaced, before === null ? text : `${text} Its comment was: ${before}`)]
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
    // Its own session, without the signal: an aborted restore cleans up as well.
    const name = await withSessions({ openClient: context.openClient }, async (open) =>
      dropCopy(await openMaintenance(open, plan.target), open, {
        oid: copyOid,
        name: plan.staging,
        target: plan.target,
      }),
    )
    return { renamed: name === plan.target, state: `${standing}, and the half-made copy has been dropped.` }
  } catch (error) {
    context.log.warn('Could not drop the half-made copy', { database: plan.staging, reason: messageOf(error) })
    return { renamed: false, state: `${standing}; the half-made copy "${plan.staging}" may remain and can be dropped.` }
  }
}
