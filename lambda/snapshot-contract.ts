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
