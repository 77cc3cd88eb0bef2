import { workMs, type Statistics } from '../../lambda/engine/policy/weigh.ts'
import type { Relation } from '../lint/observation.ts'
import type { RecordedStatement, Recording } from './recorder.ts'

type Work = Parameters<typeof workMs>[0]

/** What tables hold in the live database, by `schema.name`. */
export type Sizes = Readonly<Record<string, Statistics>>

/** The name that a relation had when the run began: the one by which the live database knows it. */
export function nameBefore({ relations }: Pick<Recording, 'relations'>, relation: Relation): string {
  const { schema, name } = relations.get(relation.oid) ?? relation
  return `${schema}.${name}`
}

/**
 * About how long a statement would work on tables of these sizes, by what it did to the tables that were there before
 * the run. Zero where it does nothing that grows with them. Pure. Milliseconds.
 */
export function estimateOf(recording: Recording, statement: RecordedStatement, sizes: Sizes): number {
  let total = 0
  for (const [relation, work] of workOf(statement)) {
    const name = nameBefore(recording, relation)
    const size = Object.hasOwn(sizes, name) ? sizes[name] : undefined
    if (size !== undefined) total += workMs(work, size)
  }
  return total
}

/** What writes a row for each that it finds. */
const WRITES = new Set(['UpdateStmt', 'DeleteStmt', 'MergeStmt'])

/** The greatest work on each table. A partitioned table has no rows of its own: its partitions count. */
function workOf({ observation }: RecordedStatement): ReadonlyMap<Relation, Work> {
  if (observation === null) return new Map()
  const { rewritten, built, reindexed, scanned, statement } = observation
  const work = new Map<number, readonly [Relation, Work]>()
  const add = (relation: Relation, kind: Work): void => {
    if (relation.file !== 0 && !work.has(relation.oid)) work.set(relation.oid, [relation, kind])
  }
  // Emptying a table does not read it.
  if (statement.kind !== 'TruncateStmt') for (const table of rewritten) add(table, 'rewrite')
  const emptied = statement.kind === 'TruncateStmt'
  for (const { table } of emptied ? [] : built) add(table, 'index')
  for (const index of emptied ? [] : reindexed) {
    const table = tableOf(
      index,
      observation.locks.map(({ relation }) => relation),
    )
    if (table !== undefined) add(table, 'index')
  }
  for (const table of scanned) add(table, WRITES.has(statement.kind) ? 'rewrite' : 'scan')
  return new Map(work.values())
}

function tableOf(index: Relation, locked: readonly Relation[]): Relation | undefined {
  return locked.find(({ oid }) => oid === index.table)
}
