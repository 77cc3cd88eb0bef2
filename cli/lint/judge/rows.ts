import type { NamedRelation } from '../../../lambda/engine/migration/parse-tree.ts'
import { rowChangesIn, type RowChange } from '../../../lambda/engine/hazards/row-changes.ts'
import { nameOf, type Observation, type Relation } from '../observation.ts'
import { found, type Found } from './found.ts'

/** Rows that a statement overwrites or deletes; what code does, {@link judgeCode} says. */
export function judgeRows(observation: Observation): readonly Found[] {
  // TRUNCATE gives the table a new file, and is known by that.
  if (observation.statement.kind === 'TruncateStmt') return []
  return rowChangesIn(observation.statement).flatMap((change) => {
    const relation = touched(change.table, observation)
    return relation === null ? [] : foundFor(change, relation)
  })
}

function foundFor({ does, isUnbounded }: RowChange, relation: Relation): readonly Found[] {
  const name = nameOf(relation)
  if (does === 'update') {
    const written = found('data-updated', relation, `writes rows of ${name}`)
    // How long it locks, and what it overwrites, are two things: it may write a new column alone.
    return isUnbounded ? [found('update-without-where', relation, `writes every row of ${name}`), written] : [written]
  }
  return isUnbounded
    ? [found('delete-without-where', relation, `deletes every row of ${name}`)]
    : [found('data-deleted', relation, `deletes rows of ${name}`)]
}

/** What it locks of the tables that were there before the run. */
function touched(named: NamedRelation, { locks, held }: Observation): Relation | null {
  return [...locks, ...held].find(({ relation }) => isSame(named, relation))?.relation ?? null
}

export function isSame(named: NamedRelation, { schema, name }: Pick<Relation, 'schema' | 'name'>): boolean {
  return named.name === name && (named.schema === null || named.schema === schema)
}

/** Columns that the statements of a migration have added, as `schema.table.column`: nobody misses what they held before. */
export function addedColumns(observations: readonly Observation[]): ReadonlySet<string> {
  return new Set(
    observations.flatMap(({ changed }) =>
      changed.flatMap(({ before, after }) =>
        [...after.columns]
          .filter(([number]) => !before.columns.has(number))
          .map(([, { name }]) => `${nameOf(before)}.${name}`),
      ),
    ),
  )
}

/** Whether all that the statement overwrites in the table is in these columns. */
export function writesOnly({ statement }: Observation, table: string, columns: ReadonlySet<string>): boolean {
  return rowChangesIn(statement).every(
    (change) => change.columns?.every((name) => columns.has(`${table}.${name}`)) === true,
  )
}
