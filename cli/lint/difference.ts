import type { Catalog, Probe } from './catalog.ts'
import { modeRank, type Change, type HeldLock, type LockMode, type Observation, type Relation } from './observation.ts'

/** What there was when the run began: what it makes itself is nobody else's yet. */
export interface Before {
  readonly relations: ReadonlySet<number>
  readonly schemas: ReadonlySet<number>
}

export type Facts = Omit<Observation, 'statement' | 'messages'>

export interface Difference {
  readonly facts: Facts
  readonly catalog: Catalog
}

export function beforeOf({ relations, schemas }: Catalog): Before {
  return { relations: new Set(relations.keys()), schemas: new Set(schemas.keys()) }
}

/** What a statement did in the open transaction, from what the server told before and after it. Pure. */
export function differenceOf(
  catalog: Catalog,
  probe: { readonly last: Probe | null; readonly now: Probe },
  before: Before,
): Difference {
  const { last, now } = probe
  const next = applyProbe(catalog, now)
  const locks: HeldLock[] = []
  const held: HeldLock[] = []
  for (const [oid, modes] of now.locks) {
    const relation = catalog.relations.get(oid)
    if (relation === undefined || !before.relations.has(oid)) continue
    const earlier = last?.locks.get(oid) ?? []
    const taken = modes.filter((mode) => !earlier.includes(mode))
    if (taken.length > 0) locks.push({ relation, mode: strongest(taken) })
    if (earlier.length > 0) held.push({ relation, mode: strongest(earlier) })
  }
  const scanned = [...now.scans]
    .filter(([oid, scans]) => scans > (last?.scans.get(oid) ?? 0))
    .flatMap(([oid]) => catalog.relations.get(oid) ?? [])
    .filter(({ oid, kind }) => kind !== 'index' && before.relations.has(oid))
  return {
    facts: { ...changesOf(catalog, next, before), locks, held, scanned, lockTimeoutMs: now.lockTimeoutMs },
    catalog: next,
  }
}

/** What a statement outside of a transaction did, from the catalog before and after it. Its locks are given back. Pure. */
export function differenceOutside(catalog: Catalog, after: Catalog, before: Before): Difference {
  return {
    facts: { ...changesOf(catalog, after, before), locks: [], held: [], scanned: [], lockTimeoutMs: null },
    catalog: after,
  }
}

/** Everything that changes is locked. Columns are told of what is locked against all others only. */
function applyProbe(catalog: Catalog, probe: Probe): Catalog {
  const relations = new Map(catalog.relations)
  for (const [oid, modes] of probe.locks) {
    const now = probe.relations.get(oid)
    const known = relations.get(oid)
    if (now === undefined) relations.delete(oid)
    else if (known === undefined || modes.includes('AccessExclusiveLock')) relations.set(oid, now)
    else relations.set(oid, { ...now, columns: known.columns })
  }
  return { relations: withSchemas(relations, catalog, probe), schemas: probe.schemas }
}

/** What is in a schema that is renamed is not locked. */
function withSchemas(
  relations: Map<number, Relation>,
  { schemas }: Catalog,
  probe: Probe,
): ReadonlyMap<number, Relation> {
  for (const [oid, name] of schemas) {
    const now = probe.schemas.get(oid)
    if (now === undefined || now === name) continue
    for (const [key, relation] of relations)
      if (relation.schema === name) relations.set(key, { ...relation, schema: now })
  }
  return relations
}

type Changes = Pick<Observation, 'rewritten' | 'reindexed' | 'built' | 'dropped' | 'created' | 'changed' | 'schemas'>

function changesOf(from: Catalog, to: Catalog, before: Before): Changes {
  const pairs: Change<Relation>[] = []
  const dropped: Relation[] = []
  for (const [oid, relation] of from.relations) {
    if (!before.relations.has(oid)) continue
    const after = to.relations.get(oid)
    if (after === undefined) dropped.push(relation)
    else if (after !== relation) pairs.push({ before: relation, after })
  }
  const created = [...to.relations.values()].filter(({ oid }) => !from.relations.has(oid))
  const moved = pairs.filter((pair) => pair.before.file !== pair.after.file).map((pair) => pair.after)
  return {
    dropped,
    created,
    rewritten: moved.filter(({ kind }) => kind === 'table' || kind === 'materialized view'),
    reindexed: moved.filter(({ kind }) => kind === 'index'),
    built: created.flatMap((index) => {
      const table = index.table === null ? undefined : to.relations.get(index.table)
      return table !== undefined && before.relations.has(table.oid) ? [{ index, table }] : []
    }),
    changed: pairs,
    schemas: [...from.schemas]
      .filter(([oid, name]) => before.schemas.has(oid) && to.schemas.get(oid) !== name)
      .map(([oid, name]) => ({ before: name, after: to.schemas.get(oid) ?? null })),
  }
}

function strongest(modes: readonly LockMode[]): LockMode {
  return modes.reduce((left, right) => (modeRank(left) >= modeRank(right) ? left : right))
}
