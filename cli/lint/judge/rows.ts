import type { HazardId } from '../../../lambda/engine/hazard.ts'
import type { NamedRelation } from '../../../lambda/engine/parse-tree.ts'
import { rowChangesIn, type RowChange } from '../../../lambda/engine/row-changes.ts'
import { nameOf, type Observation, type Relation } from '../observation.ts'
import { found, type Found } from './found.ts'

/** Rows that a statement overwrites or deletes; what code does, {@link judgeCode} says. */
export function judgeRows(observation: Observation): readonly Found[] {
  // TRUNCATE gives the table a new file, and is known by that.
  if (observation.statement.kind === 'TruncateStmt') return []
  return rowChangesIn(observation.statement).flatMap((change) => {
    const relation = touched(change.table, observation)
    return relation === null ? [] : [foundFor(change, relation)]
  })
}

const IDS: { readonly [D in RowChange['does']]: readonly [every: HazardId, some: HazardId, verb: string] } = {
  update: ['update-without-where', 'data-updated', 'writes'],
  delete: ['delete-without-where', 'data-deleted', 'deletes'],
}

function foundFor({ does, isUnbounded }: RowChange, relation: Relation): Found {
  const [every, some, verb] = IDS[does]
  return isUnbounded
    ? found(every, relation, `${verb} every row of ${nameOf(relation)}`)
    : found(some, relation, `${verb} rows of ${nameOf(relation)}`)
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
