export interface TableName {
  readonly schema: string
  readonly name: string
}

/** Whose rows a snapshot holds. The structure is always that of the whole database, so that every snapshot restores. */
export type SnapshotScope =
  | { readonly kind: 'database' }
  | { readonly kind: 'schemas'; readonly schemas: readonly string[] }
  /** What the pending migrations can touch. */
  | { readonly kind: 'affected'; readonly tables: readonly TableName[] }
