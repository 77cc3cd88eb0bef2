import { TABLE_LOCKS, type RelationLock, type TableLock } from '../../lambda/analysis-contract.ts'
import { excerptAt } from '../../lambda/engine/migration/excerpt.ts'
import { isConcurrent } from './judge/found.ts'
import { modeName, nameOf, type Observation, type Relation } from './observation.ts'
import type { ObservedStep } from './observe.ts'

const LOCKABLE: ReadonlySet<Relation['kind']> = new Set(['table', 'view', 'materialized view'])

/**
 * The strongest lock on each relation that was there before, and the statement that takes it, by name. Weaker locks than
 * SHARE UPDATE EXCLUSIVE are those of any query. What code or a procedure locks between its own commits cannot be seen.
 */
export function locksOf({
  observations,
  catalog,
}: Pick<ObservedStep, 'observations' | 'catalog'>): readonly RelationLock[] {
  const strongest = new Map<string, RelationLock>()
  for (const observation of observations) {
    const { source } = observation.statement
    const line = source === null ? null : excerptAt(source.block, source.offset).line
    for (const { relation, mode } of [...seenIn(observation), ...concludedFrom(observation, catalog.relations)]) {
      if (!LOCKABLE.has(relation.kind)) continue
      const name = nameOf(relation)
      const known = strongest.get(name)
      if (known === undefined || rank(known.mode) < rank(mode)) strongest.set(name, { relation: name, mode, line })
    }
  }
  return [...strongest.values()].toSorted((a, b) => (a.relation < b.relation ? -1 : 1))
}

interface Taken {
  readonly relation: Relation
  readonly mode: TableLock
}

function seenIn({ locks }: Observation): readonly Taken[] {
  return locks.flatMap(({ relation, mode }) => {
    const name = TABLE_LOCKS.find((known) => known === modeName(mode))
    return name === undefined ? [] : [{ relation, mode: name }]
  })
}

/** A statement outside of a transaction has given its locks back before anybody can ask; what it did tells which it had. */
function concludedFrom(observation: Observation, relations: ReadonlyMap<number, Relation>): readonly Taken[] {
  if (observation.lockTimeoutMs !== null) return []
  const { statement, built, reindexed, dropped, rewritten } = observation
  const tables = [...reindexed, ...dropped].flatMap(({ table }) => relations.get(table ?? 0) ?? [])
  const indexed = [...built.map(({ table }) => table), ...tables]
  const mode = isConcurrent(statement) ? 'SHARE UPDATE EXCLUSIVE' : 'SHARE'
  return [
    ...indexed.map((relation) => ({ relation, mode }) as const),
    ...rewritten.map((relation) => ({ relation, mode: 'ACCESS EXCLUSIVE' }) as const),
  ]
}

function rank(mode: TableLock): number {
  return TABLE_LOCKS.indexOf(mode)
}
