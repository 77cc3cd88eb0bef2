/** Results of what is done with snapshots: part of the contract, and as stable. Imports nothing. */

/** Objects of a snapshot that is being taken, or that was cut off: a later snapshot removes it after a day. */
export interface IncompleteSnapshot {
  readonly uri: string
  readonly begunAt: string
  readonly objects: number
}

/** Whether roles that the snapshot names and the server does not have keep a restore from beginning. */
export const MISSING_ROLES = ['fail', 'skip'] as const
export type MissingRoles = (typeof MISSING_ROLES)[number]

/** A table that was restored into another schema. Both names are `schema.table`. */
export interface RestoredTable {
  readonly table: string
  readonly restoredAs: string
  readonly rows: number
}

export interface RestoreResult {
  /** The database that now holds the snapshot's content. */
  readonly database: string
  readonly tables: number
  readonly rows: number
  /** The dated name under which the replaced database is kept; null with `into`. */
  readonly replaced: string | null
  /** Present with `tables`: under which names they are beside the originals. */
  readonly copies?: readonly RestoredTable[]
  /** A sentence for everything that is not as it was: unchecked foreign keys, privileges of roles that do not exist. */
  readonly warnings: readonly string[]
  readonly durationMs: number
}

/** What is wrong with a snapshot. */
export interface SnapshotProblem {
  /** Key of the object, relative to the manifest. */
  readonly object: string
  readonly message: string
}

export interface VerifyResult {
  readonly uri: string
  readonly status: 'intact' | 'damaged'
  /** What the snapshot is of; null when its manifest cannot be read. */
  readonly database: string | null
  readonly objects: number
  readonly bytes: number
  readonly tables: number
  readonly rows: number
  /** All that is wrong; empty when intact. */
  readonly problems: readonly SnapshotProblem[]
  readonly durationMs: number
}

/** What the snapshot before a run would hold, and how long it would take. */
export interface SnapshotEstimate {
  /** Whose rows it would hold; `affected`: those of tables that the run can touch. */
  readonly scope: 'database' | 'schemas' | 'affected'
  /** Why it would be the whole database, although only what is affected was asked for; null: it is as asked for. */
  readonly unsure: string | null
  /** The tables that the run can touch, and why; null with another scope. */
  readonly affected: readonly { readonly schema: string; readonly name: string; readonly why: string }[] | null
  /** Whose rows it would hold. */
  readonly tables: number
  readonly omittedTables: number
  /** What it would read: on the server's disk, without indexes. */
  readonly bytes: number
  readonly seconds: number
  readonly bytesPerSecond: number
  /** `measured`: by the last snapshot of the same database. */
  readonly speed: 'measured' | 'assumed'
}
