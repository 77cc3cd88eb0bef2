import { mentionsInBlock, mentionsInFunction } from './bodies.ts'
import type { Catalog, Relation } from './catalog.ts'
import type { Dependent, Start } from './dependents.ts'
import type { Mention } from './mentions.ts'
import { RUN_SQL } from './statement-kinds.ts'
import type { ObjectName } from './tree.ts'

/** What one migration says. */
export interface Told {
  /** The migration's id. */
  readonly in: string
  readonly mentions: readonly Mention[]
}

export interface Closure {
  /** Relations whose rows may change, by oid, and why. */
  readonly changed: ReadonlyMap<string, string>
  /** Objects whose dependents may change with them. */
  readonly starts: readonly Start[]
  /** Why it cannot be told; the rest says nothing then. */
  readonly unsure: string | null
}

/**
 * Follows what migrations say through a database's objects, until nothing more can be reached: views to their tables,
 * tables to their partitions, foreign keys that cascade, triggers and every other function that may be called. Pure.
 *
 * @param dependents - tables that depend on the starts of an earlier closure
 */
export function closeOver(told: readonly Told[], catalog: Catalog, dependents: readonly Dependent[]): Closure {
  const closed = close(told, catalog, dependents, false)
  // Whatever changes the search path may do so before anything that follows it.
  const { changed, starts, unsure } = closed.anywhere ? close(told, catalog, dependents, true) : closed
  return { changed, starts: [...starts.values()], unsure }
}

interface State {
  readonly catalog: Catalog
  readonly changed: Map<string, string>
  /** Changed as well where the run writes. */
  readonly named: Map<string, string>
  readonly read: Set<string>
  readonly starts: Map<string, Start>
  /** Names of functions that are called; true: only perhaps is it a function's. */
  readonly called: Map<string, boolean>
  readonly calledByOid: Set<string>
  /** Names of functions that are called where the run writes. */
  readonly fired: Set<string>
  /** Texts of functions that the run makes, by name. */
  readonly defined: Map<string, Set<string>>
  /** Texts of functions that were looked into. */
  readonly entered: Set<string>
  writes: boolean
  modifies: boolean
  truncatesCascade: boolean
  /** A name without a schema may be in any. */
  anywhere: boolean
  unsure: string | null
}

function close(
  told: readonly Told[],
  catalog: Catalog,
  dependents: readonly Dependent[],
  anywhere: boolean,
): Readonly<State> {
  const state: State = {
    catalog,
    changed: new Map(),
    named: new Map(),
    read: new Set(),
    starts: new Map(),
    called: new Map(),
    calledByOid: new Set(catalog.implicit),
    fired: new Set(),
    defined: new Map(),
    entered: new Set(),
    writes: false,
    modifies: false,
    truncatesCascade: false,
    anywhere,
    unsure: null,
  }
  for (const { in: id, mentions } of told) for (const mention of mentions) absorb(state, mention, { in: id, anywhere })
  for (const { oid, why } of dependents) add(state.changed, oid, why)
  for (let size = -1; size !== sizeOf(state) && state.unsure === null;) {
    size = sizeOf(state)
    followCalls(state)
    followRelations(state)
  }
  refuseUnknownFunctions(state)
  return state
}

/** Everything grows only, so that its size tells whether anything was added. */
function sizeOf(state: State): number {
  const { changed, named, read, starts, called, calledByOid, fired, defined, entered } = state
  const flags = [state.writes, state.modifies, state.truncatesCascade, state.anywhere].filter(Boolean).length
  return [changed, named, read, starts, called, calledByOid, fired, defined, entered].reduce(
    (total, { size }) => total + size,
    flags,
  )
}

/** Where something was said: in a migration, or in a function, which may look names up in its own way. */
interface Place {
  readonly in: string
  readonly anywhere: boolean
}

function absorb(state: State, mention: Mention, place: Place): void {
  const relationsOf = (name: ObjectName): readonly Relation[] => resolve(state.catalog, name, place.anywhere)
  switch (mention.kind) {
    case 'changes': {
      const why = `${mention.by} in ${place.in}`
      for (const { oid } of relationsOf(mention.relation)) {
        add(state.changed, oid, why)
        if (mention.structure) add(state.starts, oid, { kind: 'relation', oid, why })
      }
      return
    }
    case 'names':
      for (const { oid } of relationsOf(mention.relation)) add(state.named, oid, `${mention.by} in ${place.in}`)
      return
    case 'reads':
      for (const { oid } of relationsOf(mention.relation)) state.read.add(oid)
      return
    case 'object': {
      const { object: kind, name, by } = mention
      const start = { kind, name, anywhere: place.anywhere, why: `${by} ${name.name} in ${place.in}` }
      add(state.starts, JSON.stringify([kind, name]), start)
      return
    }
    case 'calls':
      state.called.set(mention.name.name, mention.maybe && (state.called.get(mention.name.name) ?? true))
      return
    case 'fires':
      state.fired.add(mention.name.name)
      return
    case 'defines':
      state.defined.set(mention.name.name, (state.defined.get(mention.name.name) ?? new Set()).add(mention.sql))
      return
    case 'block':
      for (const inner of mentionsInBlock(mention.sql)) absorb(state, inner, place)
      return
    case 'writes':
      state.writes = true
      state.modifies ||= mention.modifies
      return
    case 'truncates-cascade':
      state.truncatesCascade = true
      return
    case 'search-path':
      state.anywhere = true
      return
    case 'unsure':
      state.unsure ??= `${mention.why} (in ${place.in})`
      return
    default:
      mention satisfies never
  }
}

/** Looks into every function that may be called. Names are not told apart by schema or arguments: all of them are meant. */
function followCalls(state: State): void {
  const { catalog, called, calledByOid, defined, fired, entered } = state
  if (state.writes) for (const name of fired) add(called, name, false)
  for (const name of called.keys()) {
    if (RUN_SQL.has(name)) state.unsure ??= `the function ${name} runs SQL that it is given`
    for (const { oid } of catalog.functionsByName.get(name) ?? []) calledByOid.add(oid)
    for (const sql of defined.get(name) ?? []) enter(name, sql)
  }
  for (const oid of calledByOid) {
    const found = catalog.functions.get(oid)
    if (found === undefined) continue
    add(called, found.name, false)
    if (found.definition === null)
      state.unsure ??= `what the function ${found.schema}.${found.name} does, in ${found.language}, is not known`
    else enter(`${found.schema}.${found.name}`, found.definition)
  }

  function enter(name: string, sql: string): void {
    if (entered.has(sql)) return
    entered.add(sql)
    const place = { in: `the function ${name}`, anywhere: true }
    for (const mention of mentionsInFunction(sql, name)) absorb(state, mention, place)
  }
}

function followRelations(state: State): void {
  const { catalog, changed, named, read, calledByOid } = state
  if (state.writes) for (const [oid, why] of named) add(changed, oid, why)
  for (const oid of changed.keys()) spread(state, oid)
  for (const oid of read) {
    for (const target of catalog.ruleTargets.get(oid) ?? []) read.add(target)
    for (const called of catalog.expressions.get(oid) ?? []) calledByOid.add(called)
  }
}

/** From a relation that changes to what changes with it. */
function spread(state: State, oid: string): void {
  const { catalog, changed, starts, calledByOid } = state
  const name = labelOf(catalog.relations.get(oid))
  for (const child of catalog.children.get(oid) ?? []) {
    add(changed, child, `belongs to ${name}`)
    if (starts.has(oid)) add(starts, child, { kind: 'relation', oid: child, why: `belongs to ${name}` })
  }
  for (const called of catalog.expressions.get(oid) ?? []) calledByOid.add(called)
  if (!state.writes) return
  for (const called of catalog.triggers.get(oid) ?? []) calledByOid.add(called)
  if (catalog.rewritten.has(oid)) state.modifies = true
  for (const target of catalog.ruleTargets.get(oid) ?? []) add(changed, target, `is behind ${name}`)
  for (const { child, cascades } of catalog.references.get(oid) ?? []) {
    if (cascades && state.modifies) add(changed, child, `references ${name}, and follows its changes`)
    if (state.truncatesCascade) add(changed, child, `references ${name}, which TRUNCATE … CASCADE follows`)
  }
}

/** A function that is not there yet comes from an extension that the run makes, or from SQL that was not seen. */
function refuseUnknownFunctions(state: State): void {
  const { catalog, called, defined } = state
  for (const [name, maybe] of called) {
    if (maybe || catalog.functionNames.has(name) || defined.has(name)) continue
    state.unsure ??= `the function ${name} is not there yet`
  }
}

function resolve(catalog: Catalog, { schema, name }: ObjectName, anywhere: boolean): readonly Relation[] {
  const found = catalog.relationsByName.get(name) ?? []
  if (schema !== null) return found.filter((relation) => relation.schema === schema)
  return anywhere ? found : found.filter((relation) => catalog.searchPath.has(relation.schema))
}

function labelOf(relation: Relation | undefined): string {
  return relation === undefined ? 'another table' : `${relation.schema}.${relation.name}`
}

function add<V>(map: Map<string, V>, key: string, value: V): void {
  if (!map.has(key)) map.set(key, value)
}
