import type pg from 'pg'
import type { Log } from '../log.ts'
import { analyzeAll } from './analyze.ts'
import { qualified } from './catalog.ts'
import { keyOf } from './chosen-copies.ts'
import { withoutRoles } from './large-object-sql.ts'
import { fillLargeObjects, verifyLargeObjects } from './large-object-restore.ts'
import type { SnapshotTable } from './manifest.ts'
import { withUncheckedKeys } from './partial-rows.ts'
import { planPostData, relationsOf, tablesIn, type TableRows } from './post-data-plan.ts'
import { restoreRows } from './restore-rows.ts'
import { objectOf, type RestoreScripts } from './restore-scripts.ts'
import type { RestoreSource } from './restore-source.ts'
import { planTasks, type RestoreTask } from './restore-tasks.ts'
import { runPostData } from './run-post-data.ts'
import { prepareSession, type OpenSession } from './session.ts'
import { growPool, shareOut, type SessionPool } from './session-pool.ts'
import { runScript } from './sql-script.ts'
import { serverVersion } from './staging.ts'

export interface ContentJob {
  readonly source: RestoreSource
  readonly scripts: RestoreScripts
  /** Roles that do not exist: what the large objects' scripts give them is left out. */
  readonly missingRoles: ReadonlySet<string>
  /** Opens a session in the new, empty database. */
  readonly open: OpenSession
  /** Ends all of them at once, and says why. */
  readonly cut: (reason: unknown) => void
  /** How many sessions may work at the same time. */
  readonly workers: number
  readonly log: Log
}

/**
 * Fills a new, empty database with the snapshot, and checks every row count on the way.
 *
 * @returns a sentence for everything that is not as it was.
 */
export async function restoreContent(job: ContentJob): Promise<readonly string[]> {
  const { source, scripts, open, cut, workers, log } = job
  const { manifest } = source
  const tasks = planTasks(manifest, manifest.tables)
  const first = await open()
  await prepareSession(first, RESTORING)
  await runScript(first, scripts.preData)
  const pool = await growPool({ sessions: [first], cut }, Math.min(workers, worthwhile(tasks, scripts)), { open, log })
  // The script's header sets what pg_dump wants set; the rows want more.
  const settings = { ...RESTORING, ...(await memoryFor(first, pool.sessions.length)) }
  for (const session of pool.sessions) await prepareSession(session, settings)
  await restoreRows(pool, source, { tasks, made: tablesIn(scripts.preData.statements), log })
  await restoreLargeObjects(pool, source, job.missingRoles)
  await runScript(first, scripts.sequences)
  const relations = relationsOf(scripts.preData.statements, rowsOf(source))
  const version = await serverVersion(first)
  const { statements, warnings } = withUncheckedKeys(scripts.postData.statements, manifest, relations, version)
  log.info('Building indexes and constraints', { statements: statements.length })
  await runPostData(pool, scripts.postData.name, planPostData(statements, relations))
  log.info('Gathering statistics')
  await analyzeAll(pool)
  log.info('Gathered statistics')
  await verifyLargeObjects(first, manifest.largeObjects, log)
  return warnings
}

/** A session costs more than it does for a few statements. */
const STATEMENTS_PER_SESSION = 20

function worthwhile(tasks: readonly RestoreTask[], { postData }: RestoreScripts): number {
  return Math.max(tasks.length, Math.ceil(postData.statements.length / STATEMENTS_PER_SESSION))
}

/** Nothing is lost when the server stops in between: the database counts only once it has been renamed. */
const RESTORING = { synchronous_commit: 'off', synchronize_seqscans: 'on' }

/**
 * Memory for building indexes and checking foreign keys, by what the server was given itself (a quarter of the machine
 * on RDS), never less than it would take anyway. Kilobytes; `shared_buffers` is in blocks of 8 kB.
 */
const MEMORY = `
  SELECT greatest(own.setting::bigint, least(262144, shared.setting::bigint * 8 / $1::int)) || 'kB' AS memory
    FROM pg_catalog.pg_settings own, pg_catalog.pg_settings shared
   WHERE own.name = 'maintenance_work_mem' AND shared.name = 'shared_buffers'`

async function memoryFor(session: pg.Client, workers: number): Promise<Readonly<Record<string, string>>> {
  const { rows } = await session.query<{ memory: string }>(MEMORY, [workers])
  return { maintenance_work_mem: rows[0]?.memory ?? '64MB' }
}

async function restoreLargeObjects(
  pool: SessionPool,
  source: RestoreSource,
  missingRoles: ReadonlySet<string>,
): Promise<void> {
  const { manifest } = source
  const parts = manifest.largeObjects?.parts ?? []
  const adapt = withoutRoles(missingRoles)
  await shareOut(pool, parts, async (session, { key }) =>
    fillLargeObjects(session, source, objectOf(manifest, key), adapt),
  )
}

/** A vacuum costs a table of fewer bytes in the snapshot more than it spares. */
const VACUUM_BYTES = 1024 * 1024

/** How much of each table the snapshot holds, about, and whether its pages are marked visible for all. */
function rowsOf({ manifest }: RestoreSource): ReadonlyMap<string, TableRows> {
  const stored = new Map(manifest.objects.map((object) => [object.key, object.bytes]))
  return new Map(
    manifest.tables.map((table) => {
      const bytes = table.parts.reduce((total, { key, slice }) => total + (slice?.bytes ?? stored.get(key) ?? 0), 0)
      const needsVacuum = table.parts.length > 1 && bytes >= VACUUM_BYTES
      return [keyOf(table), { bytes, vacuum: needsVacuum ? vacuumSql(table) : null }]
    }),
  )
}

/** No index is there yet, and nothing was deleted: it marks the pages, which may also be read by now. */
function vacuumSql(table: SnapshotTable): string {
  return `VACUUM (INDEX_CLEANUP off, TRUNCATE off, PROCESS_TOAST off) ${qualified(table)}`
}
