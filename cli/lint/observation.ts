import type { Statement } from '../../lambda/engine/migration/statements.ts'

export type RelationKind = 'table' | 'index' | 'view' | 'materialized view' | 'sequence' | 'other'

/** The modes of table locks, the weakest first. */
export const LOCK_MODES = [
  'AccessShareLock',
  'RowShareLock',
  'RowExclusiveLock',
  'ShareUpdateExclusiveLock',
  'ShareLock',
  'ShareRowExclusiveLock',
  'ExclusiveLock',
  'AccessExclusiveLock',
] as const
export type LockMode = (typeof LOCK_MODES)[number]

export interface Column {
  readonly name: string
  readonly type: string
  readonly notNull: boolean
  /** Filled by itself: a default, an identity or an expression. */
  readonly filled: boolean
}

/** A relation as the catalog has it. */
export interface Relation {
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly kind: RelationKind
  /** Where its rows are; another number after a rewrite. 0 for what has none. */
  readonly file: number
  readonly isPartition: boolean
  /** The table of an index; null for everything else. */
  readonly table: number | null
  /** By number. Empty for indexes. */
  readonly columns: ReadonlyMap<number, Column>
}

export interface HeldLock {
  readonly relation: Relation
  readonly mode: LockMode
}

export interface Change<T> {
  readonly before: T
  readonly after: T
}

/** What the server did for one statement. Only of relations that were there before the run, unless it says otherwise. */
export interface Observation {
  readonly statement: ObservedStatement
  /** Taken by this statement, the strongest of each relation. */
  readonly locks: readonly HeldLock[]
  /** Kept from earlier statements of the same transaction. */
  readonly held: readonly HeldLock[]
  /** Tables and materialized views with a new file. */
  readonly rewritten: readonly Relation[]
  /** Indexes with a new file. */
  readonly reindexed: readonly Relation[]
  /** New indexes on tables that were there before. */
  readonly built: readonly { readonly index: Relation; readonly table: Relation }[]
  /** Tables that were read from end to end. */
  readonly scanned: readonly Relation[]
  /** Relations, indexes among them, that are gone. */
  readonly dropped: readonly Relation[]
  /** Every relation that this statement made. */
  readonly created: readonly Relation[]
  readonly changed: readonly Change<Relation>[]
  /** Names of schemas that were there before the run and are gone, by the name that they have now, if they have one. */
  readonly schemas: readonly { readonly before: string; readonly after: string | null }[]
  /** What the server said, its DEBUG1 messages among it. */
  readonly messages: readonly Message[]
  /** Milliseconds; 0: no limit. Null outside of a transaction, where it is not asked. */
  readonly lockTimeoutMs: number | null
}

export interface Message {
  readonly severity: string
  readonly text: string
  readonly detail: string
}

/** A statement of a file, or one that code ran. */
export interface ObservedStatement {
  readonly sql: string
  /** Null for what code ran. */
  readonly source: Statement | null
  /** The parse tree's kind, `AlterTableStmt`, and its fields. */
  readonly kind: string
  readonly fields: Readonly<Record<string, unknown>>
}

export function modeRank(mode: LockMode): number {
  return LOCK_MODES.indexOf(mode)
}

/** Whether others cannot write while it is held. */
export function blocksWrites(mode: LockMode): boolean {
  return modeRank(mode) >= modeRank('ShareLock')
}

export function blocksReads(mode: LockMode): boolean {
  return mode === 'AccessExclusiveLock'
}

export function nameOf({ schema, name }: Pick<Relation, 'schema' | 'name'>): string {
  return `${schema}.${name}`
}

/** As PostgreSQL's manual writes it: `ACCESS EXCLUSIVE`. */
export function modeName(mode: LockMode): string {
  return mode
    .replace(/Lock$/, '')
    .replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ')
    .toUpperCase()
}
