import { toTime } from '../../clock.ts'
import type { AppliedKind, ErrorReport, RunStatus } from '../../contract.ts'
import type { EngineContext } from '../context.ts'
import { quoteLiteral, type Connection, type Row } from '../database.ts'
import { historyNoteSql, refuseNewerHistory } from './history-format.ts'
import { historyTables } from './history-schema.ts'
import { PROGRESS_COLUMNS, toProgress, type Progress } from './progress.ts'
import { timeColumn } from './recorded-time.ts'

/** A row of the history, without the source. */
export interface AppliedMigration {
  readonly id: string
  readonly checksum: string
  readonly kind: AppliedKind
  readonly position: number
  readonly parents: readonly string[]
  readonly appliedAt: Date
  readonly durationMs: number
  readonly runId: string
  readonly appliedBy: string
  readonly lockstepVersion: string
  /** sha256 of the compiled code in the archive; null when there is none. */
  readonly archive: string | null
}

/** A row of the runs. */
export interface RunRecord {
  readonly runId: string
  readonly action: string
  readonly trigger: string
  readonly status: RunStatus
  readonly startedAt: Date
  readonly finishedAt: Date | null
  readonly snapshotUri: string | null
  readonly error: ErrorReport | null
  readonly details: Readonly<Record<string, unknown>>
}

/** What the database says of this set. */
export interface State {
  /** By position. */
  readonly applied: readonly AppliedMigration[]
  readonly progress: readonly Progress[]
  readonly lastRun: RunRecord | null
  /** The run that this request id started before, if any. */
  readonly sameRequest: RunRecord | null
}

export const EMPTY_STATE: State = { applied: [], progress: [], lastRun: null, sameRequest: null }

const RUN_COLUMNS = `run_id, action, trigger, status, ${timeColumn('started_at')}, ${timeColumn('finished_at')}, snapshot_uri, error, details`

/**
 * Reads the whole state of the set in one round trip.
 *
 * @throws LockstepError `CONFIG_INVALID` for a history of a later version
 */
export async function readState(
  connection: Connection,
  context: Pick<EngineContext, 'schema' | 'set'>,
  requestId: string | null = null,
): Promise<State> {
  const tables = historyTables(context.schema)
  const set = quoteLiteral(context.set)
  const request = requestId === null ? 'NULL' : quoteLiteral(requestId)
  const [note, migrations, progress, last, same] = await connection.execute(`
${historyNoteSql(tables.migrations)};
SELECT id, checksum, kind, position, parents, ${timeColumn('applied_at')}, duration_ms, run_id, applied_by, lockstep_version, archive
  FROM ${tables.migrations} WHERE "set" = ${set} ORDER BY position;
SELECT ${PROGRESS_COLUMNS} FROM ${tables.progress} WHERE "set" = ${set};
SELECT ${RUN_COLUMNS} FROM ${tables.runs} WHERE "set" = ${set} ORDER BY started_at DESC LIMIT 1;
SELECT ${RUN_COLUMNS} FROM ${tables.runs} WHERE "set" = ${set} AND request_id = ${request}`)
  refuseNewerHistory(note?.rows[0]?.note, context.schema)
  return {
    applied: (migrations?.rows ?? []).map(toApplied),
    progress: (progress?.rows ?? []).map(toProgress),
    lastRun: (last?.rows ?? []).map(toRun)[0] ?? null,
    sameRequest: (same?.rows ?? []).map(toRun)[0] ?? null,
  }
}

/** The latest runs of the set, newest first. */
export async function readRuns(
  connection: Connection,
  context: Pick<EngineContext, 'schema' | 'set'>,
  limit: number,
): Promise<readonly RunRecord[]> {
  const result = await connection.query(
    `SELECT ${RUN_COLUMNS} FROM ${historyTables(context.schema).runs} WHERE "set" = $1 ORDER BY started_at DESC LIMIT $2`,
    [context.set, limit],
  )
  return result.rows.map(toRun)
}

const DEPLOYMENTS_READ = 20

/** The latest runs that deployments of this resource made, newest first. */
export async function readDeployments(
  connection: Connection,
  context: Pick<EngineContext, 'schema' | 'set'>,
  resource: string,
): Promise<readonly RunRecord[]> {
  const result = await connection.query(
    `SELECT ${RUN_COLUMNS} FROM ${historyTables(context.schema).runs}
WHERE "set" = $1 AND trigger = 'deployment' AND details ->> 'resource' = $2 ORDER BY started_at DESC LIMIT $3`,
    [context.set, resource, DEPLOYMENTS_READ],
  )
  return result.rows.map(toRun)
}

/** Sources as applied, by id. */
export async function readSources(
  connection: Connection,
  context: Pick<EngineContext, 'schema' | 'set'>,
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (ids.length === 0) return new Map()
  const result = await connection.query(
    `SELECT id, source FROM ${historyTables(context.schema).migrations} WHERE "set" = $1 AND id = ANY ($2)`,
    [context.set, ids],
  )
  return new Map(result.rows.map((row) => [String(row.id), String(row.source)]))
}

function toApplied(row: Row): AppliedMigration {
  return {
    id: String(row.id),
    checksum: String(row.checksum),
    kind: row.kind as AppliedKind,
    position: Number(row.position),
    parents: row.parents as readonly string[],
    appliedAt: toTime(row.applied_at),
    durationMs: Number(row.duration_ms),
    runId: String(row.run_id),
    appliedBy: String(row.applied_by),
    lockstepVersion: String(row.lockstep_version),
    archive: row.archive as string | null,
  }
}

function toRun(row: Row): RunRecord {
  return {
    runId: String(row.run_id),
    action: String(row.action),
    trigger: String(row.trigger),
    status: row.status as RunStatus,
    startedAt: toTime(row.started_at),
    finishedAt: row.finished_at === null ? null : toTime(row.finished_at),
    snapshotUri: row.snapshot_uri as string | null,
    error: row.error as ErrorReport | null,
    details: row.details as Readonly<Record<string, unknown>>,
  }
}
