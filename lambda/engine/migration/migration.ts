import type { MigrationKind } from '../../contract.ts'
import type { QueryFunction } from './migration-context.ts'

/** A stretch of SQL in a migration file. */
export interface SqlBlock {
  readonly text: string
  /** 1-based line of the file on which `text` begins. */
  readonly line: number
}

/** The up or the down of a SQL migration. */
export interface SqlSection {
  /** In the order in which they run. */
  readonly blocks: readonly SqlBlock[]
  /** False with `transaction:false`. */
  readonly transactional: boolean
}

/** Settings that stand at the top of a migration file, or are exported by a TypeScript one. */
export interface Directives {
  /** Explicit parents. @default null: the previous file */
  readonly after: readonly string[] | null
  /** Why it cannot be undone. @default null */
  readonly irreversible: string | null
  /** What breaks for the code that ran before it. @default null */
  readonly breaking: string | null
  /** Hazards that the author accepts, with the reason. */
  readonly allow: readonly { readonly hazard: string; readonly reason: string }[]
  /** Milliseconds. @default null: the run's */
  readonly lockTimeoutMs: number | null
  /** Milliseconds. @default null: the run's */
  readonly statementTimeoutMs: number | null
}

interface MigrationBase {
  /** The file's name without extension. */
  readonly id: string
  readonly kind: MigrationKind
  /** The file's name. */
  readonly file: string
  /** The whole file, line endings normalised to LF. */
  readonly source: string
  /** sha256 of `source`, hex. */
  readonly checksum: string
  readonly directives: Directives
}

export interface SqlMigration extends MigrationBase {
  readonly kind: 'sql'
  /** Applied after the others, and again whenever its text changes. */
  readonly repeatable: boolean
  readonly up: SqlSection
  /** Null when there is none, or when it holds no statement. */
  readonly down: SqlSection | null
  /** Queries that must all be true before a run touches anything. */
  readonly require: readonly SqlBlock[]
  /** Queries that must all be true after the up, before it commits. */
  readonly verify: readonly SqlBlock[]
}

export interface TypeScriptMigration extends MigrationBase {
  readonly kind: 'ts'
  readonly up: MigrationFunction
  readonly down: MigrationFunction | null
  readonly transactional: boolean
  /** The self-contained module that synth made of it; null where the file itself is run. */
  readonly compiled: CompiledModule | null
}

export interface CompiledModule {
  readonly code: string
  /** sha256 of `code`, hex. */
  readonly checksum: string
}

/** One migration file, read and understood. */
export type Migration = SqlMigration | TypeScriptMigration

export type MigrationFunction = (context: MigrationContext) => Promise<void> | void

/** What a TypeScript migration receives. */
export interface MigrationContext {
  /** Runs one statement in the migration's transaction (or outside of one with `transaction = false`). */
  readonly query: QueryFunction
  /**
   * Runs `sql` with `$1` = `size` again and again until it changes no row; each step commits by itself, so the
   * statement must select what is still to be done. Needs `export const transaction = false`. Gives the rows changed.
   */
  readonly batch: (sql: string, options?: { readonly size?: number; readonly pauseMs?: number }) => Promise<number>
  readonly log: (message: string) => void
  /** Aborted when the run must stop. */
  readonly signal: AbortSignal
}
