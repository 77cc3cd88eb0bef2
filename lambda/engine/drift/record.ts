import { deflateSync, inflateSync } from 'node:zlib'
import type { Catalog } from '../catalog/catalog.ts'
import { readStructure } from '../catalog/read-structure.ts'
import type { EngineContext } from '../context.ts'
import { SqlError, type Connection } from '../database.ts'
import { createStructureTable, historyTables } from '../history/history-schema.ts'
import { timeColumn } from '../history/recorded-time.ts'
import { toTime } from '../../clock.ts'
import { messageOf } from '../../errors.ts'
import { factsVersion, readHistoryMark, readMoment, type HistoryMark, type Moment } from './moment.ts'

/** The schema as a run has left it. */
export interface StructureRecord {
  readonly runId: string
  readonly recordedAt: Date
  readonly mark: string
  readonly factsVersion: string
  readonly serverVersion: number
  readonly copy: string
  /** Compressed. */
  readonly facts: Buffer
}

/** The schema, and the moment that it is of. */
export interface Reading {
  readonly moment: Moment
  readonly mark: HistoryMark
  readonly catalog: Catalog
}

/** Without the time to spare, the record is left out: the run is over, and its answer must not be lost. Milliseconds. */
const TIME_TO_SPARE_MS = 15_000

/**
 * Keeps the schema as the run has left it, for the next run to compare with. Where the history has not moved since what
 * is kept, that stays: what somebody else has changed meanwhile is no run's. Never throws: a run that has succeeded is no
 * failure because of this.
 */
export async function recordStructure(
  context: Pick<EngineContext, 'schema' | 'set' | 'clock' | 'log' | 'version' | 'remainingMs'>,
  connection: Connection,
  runId: string,
): Promise<void> {
  if (!connection.isOpen()) return
  try {
    if (context.remainingMs() < TIME_TO_SPARE_MS) throw new Unsettled('there is no time left for it')
    const moment = await readMoment(connection, context.schema)
    if (!moment.isKept) await createStructureTable(connection, context.schema)
    const known = await readRecord(connection, context.schema)
    const mark = await readHistoryMark(connection, moment.own)
    if (known !== null && whyStale(known, moment, mark) === null) return
    await keep(context, connection, runId, await readAt(connection, moment))
  } catch (error) {
    context.log.warn(
      'the schema that the run has left could not be recorded; the next run has nothing to compare with',
      {
        runId,
        reason: messageOf(error),
      },
    )
  }
}

/**
 * Reads the schema at a moment of the history.
 *
 * @throws SqlError, Unsettled when other runs were at work.
 */
export async function readAt(connection: Connection, moment: Moment): Promise<Reading> {
  const before = await readHistoryMark(connection, moment.own)
  const catalog = await readStructure(connection, moment)
  const after = await readHistoryMark(connection, moment.own)
  if (before.isBusy || after.isBusy)
    throw new Unsettled('a migration outside of a transaction is under way, or half done')
  if (before.mark !== after.mark) throw new Unsettled('a run of another set was at work in the same moment')
  return { moment, mark: after, catalog }
}

async function keep(
  context: Pick<EngineContext, 'schema' | 'set' | 'clock' | 'version'>,
  connection: Connection,
  runId: string,
  { moment, mark, catalog }: Reading,
): Promise<void> {
  await connection.query(
    `INSERT INTO ${historyTables(context.schema).structure}
("only", run_id, "set", recorded_at, mark, facts_version, server_version, copy, facts, lockstep_version)
VALUES (true, $1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT ("only") DO UPDATE SET run_id = EXCLUDED.run_id, "set" = EXCLUDED."set", recorded_at = EXCLUDED.recorded_at,
  mark = EXCLUDED.mark, facts_version = EXCLUDED.facts_version, server_version = EXCLUDED.server_version,
  copy = EXCLUDED.copy, facts = EXCLUDED.facts, lockstep_version = EXCLUDED.lockstep_version`,
    [
      runId,
      context.set,
      context.clock.now().toISOString(),
      mark.mark,
      factsVersion(moment.major),
      moment.serverVersion,
      moment.copy,
      packed(catalog),
      context.version,
    ],
  )
}

/** What the last run has left; null when nothing is kept. The table must be there. */
export async function readRecord(connection: Connection, schema: string): Promise<StructureRecord | null> {
  const { rows } = await connection.query(
    `SELECT run_id, ${timeColumn('recorded_at')}, mark, facts_version, server_version, copy, facts FROM ${historyTables(schema).structure}`,
  )
  const [row] = rows
  if (row === undefined) return null
  return {
    runId: String(row.run_id),
    recordedAt: toTime(row.recorded_at),
    mark: String(row.mark),
    factsVersion: String(row.facts_version),
    serverVersion: Number(row.server_version),
    copy: String(row.copy),
    facts: row.facts as Buffer,
  }
}

/** Why a record says nothing of the database as it should be now. Null: it does. Pure. */
export function whyStale(record: StructureRecord, moment: Moment, mark: HistoryMark): string | null {
  if (record.copy !== moment.copy) return 'the database was restored, or copied, since'
  if (record.serverVersion !== moment.serverVersion) return 'the server is of another version since'
  if (record.factsVersion !== factsVersion(moment.major)) return 'another version of Lockstep has recorded it'
  if (mark.isBusy) return 'a migration outside of a transaction is under way, or half done'
  if (record.mark !== mark.mark) return 'a run since has not recorded what it left'
  return null
}

type Entry = readonly [name: string, hash: string, lines: readonly string[]]

/** The same schema gives the same bytes. */
export function packed(catalog: Catalog): Buffer {
  const entries = [...catalog]
    .map(([name, { hash, lines }]): Entry => [name, hash, lines])
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
  return deflateSync(JSON.stringify(entries))
}

export function unpacked(facts: Buffer): Catalog {
  const entries = JSON.parse(inflateSync(facts).toString('utf8')) as readonly Entry[]
  return new Map(entries.map(([name, hash, lines]) => [name, { hash, lines }]))
}

/** A schema that is of no moment: others were at work while it was read. */
class Unsettled extends Error {
  override readonly name = 'Unsettled'
}

/** Why a schema could not be read. Null: the session is gone, or it is a mistake of Lockstep. */
export function whyUnreadable(error: unknown): string | null {
  return error instanceof Unsettled || error instanceof SqlError ? error.message : null
}
