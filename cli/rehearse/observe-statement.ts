import type { Connection } from '../../lambda/engine/database.ts'
import type { WatchedStatement } from '../../lambda/engine/run/watch.ts'
import { readCatalog, readProbe } from '../lint/catalog.ts'
import { differenceOf, differenceOutside, type Difference } from '../lint/difference.ts'
import type { HeldLock, LockMode, Observation, Relation } from '../lint/observation.ts'
import { observedStatement } from '../lint/watch.ts'
import type { SampledLock } from './sample-locks.ts'
import type { Tape } from './tape.ts'

/** Before the first statement of a transaction: notes what it begins with. */
export async function getReady(
  tape: Tape,
  connection: Connection,
  { statement, within }: WatchedStatement,
  historySchema: string,
): Promise<void> {
  // Before SET TRANSACTION nothing may be asked.
  if (!within || tape.last !== null || statement?.traits.setsTransaction === true) return
  const probe = await readProbe(connection, historySchema)
  tape.last = { ...probe, scans: await readScans(connection, [...tape.before.relations]) }
}

/** A session counts its scans from one transaction to the next, until it tells them. */
async function readScans(connection: Connection, relations: readonly number[]): Promise<ReadonlyMap<number, number>> {
  const { rows } = await connection.query(
    `SELECT oid::bigint AS oid, pg_catalog.pg_stat_get_xact_numscans(oid)::int AS scans
FROM pg_catalog.unnest($1::bigint[]::oid[]) oid WHERE pg_catalog.pg_stat_get_xact_numscans(oid) > 0`,
    [relations],
  )
  return new Map(rows.map((row) => [Number(row.oid), Number(row.scans)]))
}

/** Asks what the statement did, in its own session. Null where nothing may be asked before the next statement. */
export async function observe(
  tape: Tape,
  connection: Connection,
  { statement, sql, within }: WatchedStatement,
  { historySchema, sampled }: { readonly historySchema: string; readonly sampled: readonly SampledLock[] },
): Promise<Observation | null> {
  if (statement?.traits.setsTransaction === true) return null
  const observed = observedStatement(statement?.sql ?? sql, statement)
  if (!within) {
    const earlier = tape.catalog
    const difference = differenceOutside(earlier, await readCatalog(connection, historySchema), tape.before)
    const locks = locksOutside(tape, difference, sampled)
    tape.catalog = difference.catalog
    return { ...difference.facts, locks, statement: observed, messages: [] }
  }
  const now = await readProbe(connection, historySchema)
  const difference = differenceOf(tape.catalog, { last: tape.last, now }, tape.before)
  tape.last = { ...now, scans: new Map([...(tape.last?.scans ?? []), ...now.scans]) }
  // What is taken back to a savepoint is not locked any more.
  const isControl = observed.kind === 'TransactionStmt'
  tape.catalog = isControl ? await readCatalog(connection, historySchema) : difference.catalog
  return { ...difference.facts, statement: observed, messages: [] }
}

/** What was seen from outside; where it was too brief for that, what PostgreSQL's manual says of such statements. */
function locksOutside(
  { catalog, before }: Tape,
  { facts }: Difference,
  sampled: readonly SampledLock[],
): readonly HeldLock[] {
  const locks = new Map<number, HeldLock>()
  const add = (relation: Relation | undefined, mode: LockMode): void => {
    if (relation === undefined || !before.relations.has(relation.oid) || locks.has(relation.oid)) return
    locks.set(relation.oid, { relation, mode })
  }
  for (const { oid, mode } of sampled) add(catalog.relations.get(oid), mode)
  for (const table of facts.rewritten) add(table, 'AccessExclusiveLock')
  for (const { before: table, after } of facts.changed)
    if (columnsOf(table) !== columnsOf(after)) add(table, 'AccessExclusiveLock')
  for (const { table } of facts.built) add(table, 'ShareUpdateExclusiveLock')
  for (const index of facts.dropped)
    if (index.table !== null) add(catalog.relations.get(index.table), 'ShareUpdateExclusiveLock')
  return [...locks.values()]
}

function columnsOf({ columns }: Relation): string {
  return JSON.stringify([...columns])
}
