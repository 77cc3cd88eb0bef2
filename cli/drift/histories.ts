import type { Connection } from '../../lambda/engine/database.ts'
import { historyTables } from '../../lambda/engine/history/history-schema.ts'
import { readSources, readState, type AppliedMigration } from '../../lambda/engine/history/state.ts'

/** A migration that some set of the database has applied. */
export interface Applied {
  /** Schema of the history that says so. */
  readonly schema: string
  readonly set: string
  readonly entry: AppliedMigration
  /** As it was applied. */
  readonly source: string
}

/** Everything that Lockstep has applied to a database. */
export interface Histories {
  /** In the order in which it was applied. */
  readonly applied: readonly Applied[]
  /** What stands half applied, or half reverted, and where. */
  readonly halfDone: readonly string[]
}

/** Reads the histories of all sets in these schemas. @throws SqlError */
export async function readHistories(connection: Connection, schemas: readonly string[]): Promise<Histories> {
  const sets: (readonly Applied[])[] = []
  const halfDone: string[] = []
  for (const schema of schemas) {
    for (const set of await readSets(connection, schema)) {
      const { applied, progress } = await readState(connection, { schema, set })
      const ids = applied.map(({ id }) => id)
      const sources = await readSources(connection, { schema, set }, ids)
      sets.push(applied.map((entry) => ({ schema, set, entry, source: sources.get(entry.id) ?? '' })))
      halfDone.push(
        ...progress.map(({ id, direction, statementsDone }) => {
          const what = direction === 'up' ? id : `the down of ${id}`
          return `${what} has run up to its statement ${statementsDone}: what it has done so far shows as drift`
        }),
      )
    }
  }
  return { applied: merged(sets), halfDone }
}

async function readSets(connection: Connection, schema: string): Promise<readonly string[]> {
  const tables = historyTables(schema)
  const { rows } = await connection.query(
    `SELECT "set" FROM ${tables.migrations} UNION SELECT "set" FROM ${tables.progress} ORDER BY 1`,
  )
  return rows.map((row) => String(row.set))
}

/** By the time at which each was applied; within a set its own order counts, because clocks differ. */
function merged(sets: readonly (readonly Applied[])[]): readonly Applied[] {
  const queues = sets.map((set) => [...set])
  const all: Applied[] = []
  for (;;) {
    const waiting = queues.filter((queue) => queue.length > 0)
    const [first, ...others] = waiting
    if (first === undefined) return all
    const next = others.reduce((best, queue) => (timeOf(queue) < timeOf(best) ? queue : best), first)
    all.push(...next.splice(0, 1))
  }
}

function timeOf([first]: readonly Applied[]): number {
  return first?.entry.appliedAt.getTime() ?? Infinity
}
