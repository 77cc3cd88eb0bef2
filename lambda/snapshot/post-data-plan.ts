import type { ScriptStatement, StatementEffect } from './script-statement.ts'

/** How `post-data.sql` is run: the steps one after another. */
export type PostDataStep =
  /** In this order, in one session. */
  | { readonly kind: 'serial'; readonly statements: readonly PlannedStatement[] }
  /** Each once the ones that it waits for are done; otherwise at the same time. */
  | { readonly kind: 'parallel'; readonly jobs: readonly Job[] }

export interface PlannedStatement {
  readonly sql: string
  /** The `SET` statements in force. The same list for statements with the same settings. */
  readonly settings: readonly string[]
}

export interface Job extends PlannedStatement {
  /** Indexes of earlier jobs of the same step. */
  readonly after: readonly number[]
  /** How much there is to do, in any unit. */
  readonly weight: number
}

export interface Relations {
  /** Of a partitioned table or of a parent in an inheritance tree, by `schema.name`: all that are below it. */
  readonly descendantsOf: (table: string) => readonly string[]
  readonly ancestorsOf: (table: string) => readonly string[]
  readonly bytesOf: (table: string) => number
  /** How to vacuum a table whose pages nobody has marked visible for all yet; null: there is no need to. */
  readonly vacuumOf: (table: string) => string | null
}

/** A lock on a relation. Two conflict unless both are shared. */
interface Claim {
  readonly relation: string
  readonly isShared: boolean
}

/**
 * Decides what of `post-data.sql` can be done at the same time. Statements that make indexes and constraints, or say
 * something of these, form parallel steps; whatever else there is (views that need a primary key, rules, triggers,
 * REFRESH, …) stands between them, in the order of pg_dump. Within a step, a statement waits for the earlier ones that
 * lock the same relation in a way that keeps it out: so no session ever waits for a lock, and none for the other.
 */
export function planPostData(statements: readonly ScriptStatement[], relations: Relations): readonly PostDataStep[] {
  const steps: PostDataStep[] = []
  const tables = new Map<string, string>()
  let batch = createBatch()
  for (const table of checkedTables(statements, relations)) {
    const sql = relations.vacuumOf(table)
    if (sql !== null) batch.add({ sql, settings: [] }, [exclusive(table)], relations.bytesOf(table))
  }
  let settings: readonly (readonly [name: string, sql: string])[] = []
  let inForce: readonly string[] = []
  for (const { sql, effect } of statements) {
    if (effect.kind === 'setting') {
      settings = [...settings.filter(([name]) => name !== effect.name), [effect.name, sql]]
      inForce = settings.map(([, statement]) => statement)
      continue
    }
    if ((effect.kind === 'index' || effect.kind === 'constraint') && effect.index !== null) {
      tables.set(effect.index, effect.table)
    }
    const claims = claimsOf(effect, relations, tables)
    if (claims !== null) {
      batch.add({ sql, settings: inForce }, claims, weightOf(effect, relations))
      continue
    }
    steps.push(...batch.steps())
    batch = createBatch()
    appendSerial(steps, { sql, settings: inForce })
  }
  return [...steps, ...batch.steps()]
}

/**
 * The tables whose foreign keys are checked, and those that these refer to. The check reads two indexes and no table
 * where the pages are marked visible for all: with 2.6 million rows that took an eighth of the server's time for it,
 * and marking them took less than the difference.
 */
function checkedTables(statements: readonly ScriptStatement[], { descendantsOf }: Relations): ReadonlySet<string> {
  const ends = statements.flatMap(({ effect }) =>
    effect.kind === 'foreign-key' && effect.valid ? [effect.table, effect.referenced] : [],
  )
  return new Set(ends.flatMap((table) => [table, ...descendantsOf(table)]))
}

function appendSerial(steps: PostDataStep[], statement: PlannedStatement): void {
  const last = steps.at(-1)
  if (last?.kind === 'serial') steps[steps.length - 1] = { ...last, statements: [...last.statements, statement] }
  else steps.push({ kind: 'serial', statements: [statement] })
}

/** What a statement locks, or makes; null: it must be run by itself. */
function claimsOf(
  effect: StatementEffect,
  { descendantsOf, ancestorsOf }: Relations,
  tables: ReadonlyMap<string, string>,
): readonly Claim[] | null {
  const family = (table: string): readonly string[] => [table, ...descendantsOf(table)]
  switch (effect.kind) {
    case 'index':
      return [...family(effect.table).map(shared), exclusive(effect.index)]
    case 'constraint':
      return [...family(effect.table), ...(effect.index === null ? [] : [effect.index])].map(exclusive)
    case 'foreign-key':
      return [...family(effect.table), ...family(effect.referenced)].map(exclusive)
    case 'attach-index': {
      const [parent, partition] = [tables.get(effect.index), tables.get(effect.partition)]
      if (parent === undefined || partition === undefined) return null
      // With the last partition the index of a parent becomes valid, and then perhaps that of the parent's parent.
      return [effect.index, effect.partition, parent, partition, ...ancestorsOf(parent)].map(exclusive)
    }
    case 'follower':
      return effect.relations.map(exclusive)
    case 'setting':
    case 'table':
    case 'attach-table':
    case 'grant':
    case 'owner':
    case 'policy':
    case 'other':
      return null
    default:
      return effect satisfies never
  }
}

const shared = (relation: string): Claim => ({ relation, isShared: true })
const exclusive = (relation: string): Claim => ({ relation, isShared: false })

function weightOf(effect: StatementEffect, { bytesOf }: Relations): number {
  if (effect.kind === 'index' || effect.kind === 'constraint') return bytesOf(effect.table)
  return effect.kind === 'foreign-key' ? bytesOf(effect.table) + bytesOf(effect.referenced) : 0
}

interface Batch {
  readonly add: (statement: PlannedStatement, claims: readonly Claim[], weight: number) => void
  readonly steps: () => readonly PostDataStep[]
}

function createBatch(): Batch {
  const jobs: Job[] = []
  const holders = new Map<string, { readonly exclusive: number | null; readonly shared: readonly number[] }>()
  return {
    add: (statement, claims, weight) => {
      const index = jobs.length
      const after = new Set<number>()
      for (const { relation, isShared } of claims) {
        const held = holders.get(relation) ?? { exclusive: null, shared: [] }
        if (held.exclusive !== null) after.add(held.exclusive)
        if (!isShared) held.shared.forEach((holder) => after.add(holder))
        holders.set(
          relation,
          isShared ? { ...held, shared: [...held.shared, index] } : { exclusive: index, shared: [] },
        )
      }
      after.delete(index)
      jobs.push({ ...statement, after: [...after].toSorted((a, b) => a - b), weight })
    },
    steps: () => (jobs.length === 0 ? [] : [{ kind: 'parallel', jobs }]),
  }
}

/** What is known of a table's rows by `schema.name`. */
export interface TableRows {
  readonly bytes: number
  readonly vacuum: string | null
}

/** The families that the statements of `pre-data.sql` make, with what is known of the rows. */
export function relationsOf(statements: readonly ScriptStatement[], tables: ReadonlyMap<string, TableRows>): Relations {
  const parents = new Map<string, string[]>()
  const children = new Map<string, string[]>()
  const relate = (parent: string, child: string): void => {
    parents.set(child, [...(parents.get(child) ?? []), parent])
    children.set(parent, [...(children.get(parent) ?? []), child])
  }
  for (const { effect } of statements) {
    if (effect.kind === 'attach-table') relate(effect.table, effect.partition)
    else if (effect.kind === 'table') for (const parent of effect.parents) relate(parent, effect.table)
  }
  return {
    ancestorsOf: (table) => reachable(parents, table),
    descendantsOf: (table) => reachable(children, table),
    bytesOf: (table) => tables.get(table)?.bytes ?? 0,
    vacuumOf: (table) => tables.get(table)?.vacuum ?? null,
  }
}

/** The tables that the statements make, by `schema.name`. */
export function tablesIn(statements: readonly ScriptStatement[]): ReadonlySet<string> {
  return new Set(statements.flatMap(({ effect }) => (effect.kind === 'table' ? [effect.table] : [])))
}

function reachable(edges: ReadonlyMap<string, readonly string[]>, from: string): readonly string[] {
  const found = new Set<string>()
  const open = [...(edges.get(from) ?? [])]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (found.has(next)) continue
    found.add(next)
    open.push(...(edges.get(next) ?? []))
  }
  return [...found]
}
