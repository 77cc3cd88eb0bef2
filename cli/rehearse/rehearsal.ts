import type { ErrorReport, PlanProblem } from '../../lambda/contract.ts'
import type { RelationKind } from '../lint/observation.ts'

/** The JSON form of `rehearse`. */
export interface Rehearsal {
  readonly source: RehearsalSource
  /** Null: nothing is pending, and none was made. */
  readonly scratch: RehearsalScratch | null
  /** What the run applies, repeatables among it. */
  readonly pending: readonly string[]
  /** What the environment would say of the run: it did not keep it from being rehearsed. */
  readonly problems: readonly PlanProblem[]
  readonly warnings: readonly string[]
  readonly passes: readonly RehearsedPass[]
  readonly comparisons: readonly Comparison[]
  readonly notes: readonly string[]
  readonly durationMs: number
  /** Whether nothing failed and nothing differs. */
  readonly ok: boolean
}

export interface RehearsalSource {
  /** `structure`: of the live database, without rows. */
  readonly kind: 'structure' | 'snapshot'
  readonly database: string
  /** Of the snapshot; null for the structure of a live database. */
  readonly uri: string | null
  /** When it was read, ISO 8601, UTC. */
  readonly at: string
  readonly serverVersion: string
  /** Tables whose rows are not in it; null: the rows of none are. */
  readonly withoutRows: readonly string[] | null
}

export interface RehearsalScratch {
  readonly kind: 'embedded' | 'given'
  readonly database: string
  /** PostgreSQL's major version. */
  readonly major: number
  /** Whether the database is still there. */
  readonly kept: boolean
}

export const PASSES = ['up', 'down', 'up again'] as const
export type PassName = (typeof PASSES)[number]

/** One run of the rehearsal. */
export interface RehearsedPass {
  readonly pass: PassName
  readonly status: 'succeeded' | 'failed' | 'skipped'
  /** Why it was skipped. */
  readonly reason: string | null
  /** Without the time that watching took. */
  readonly durationMs: number
  readonly migrations: readonly RehearsedMigration[]
  /** How long others would have waited for tables that were there before. The longest first. */
  readonly holds: readonly LockHold[]
  /** Of a run that failed, with the state that it left the scratch database in. */
  readonly error: ErrorReport | null
}

export interface RehearsedMigration {
  readonly id: string
  readonly file: string
  /** Of its statements together. */
  readonly durationMs: number
  readonly estimatedMs: number | null
  readonly statements: readonly RehearsedStatement[]
}

export interface RehearsedStatement {
  /** 1-based, in the file; null for what code ran. */
  readonly line: number | null
  /** Its beginning. */
  readonly text: string
  readonly durationMs: number
  /** About how long it would take with the rows of the live database. Null: it was measured with rows, or does not grow with them. */
  readonly estimatedMs: number | null
  readonly failed: boolean
  /** Taken by this statement on relations that were there before, the strongest of each. */
  readonly locks: readonly StatementLock[]
  /** Tables and materialized views that were written anew. */
  readonly rewritten: readonly string[]
  /** Tables that were read from end to end. */
  readonly scanned: readonly string[]
}

export interface StatementLock {
  /** `schema.name` */
  readonly relation: string
  readonly kind: RelationKind
  /** As PostgreSQL's manual writes it: `ACCESS EXCLUSIVE`. */
  readonly mode: string
}

/** A lock on a table that keeps others waiting, from the statement that took it to the end of its transaction. */
export interface LockHold {
  readonly relation: string
  readonly mode: string
  readonly blocks: 'reads and writes' | 'writes'
  readonly heldMs: number
  /** About how long with the rows of the live database. Null: it was measured with rows. */
  readonly estimatedMs: number | null
  /** The statement that took it. */
  readonly migration: string
  readonly line: number | null
  /** Of the table, indexes included. Null: not known. */
  readonly bytes: number | null
  readonly rows: number | null
}

/** Two moments of the scratch database, side by side. */
export interface Comparison {
  readonly of: 'schema' | 'rows' | 'indexes'
  readonly between: 'before and after down' | 'after up and after up again' | 'before and after up'
  readonly same: boolean
  /** `-` for what is missing, `+` for what is too much. */
  readonly differences: readonly string[]
}
