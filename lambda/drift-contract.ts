/** What is said of a schema that is not what Lockstep left. */

/** `added`: only the database has it. `missing`: the database lacks it. */
export type DriftChange = 'added' | 'missing' | 'changed'

/** One property of an object, or a part of it: a column, an index. */
export interface DriftDetail {
  /** `column age`, `index users_name_idx`, `definition`. */
  readonly property: string
  /** What it should be. Null: it should not be there. */
  readonly was: string | null
  /** What it is in the database. Null: it is not there. */
  readonly is: string | null
}

export interface DriftDifference {
  /** `table`, `view`, `function`, `enum`, … */
  readonly kind: string
  /** The qualified name, with the types of a function's arguments. */
  readonly identity: string
  readonly change: DriftChange
  /** Of what is changed. Of the rest, what there is to say of it. */
  readonly details: readonly DriftDetail[]
}

/** The live schema, compared with what the last run left. */
export interface RunDriftResult {
  readonly database: string
  readonly set: string
  readonly against: 'last run'
  /** The run that left it; null: there is nothing to compare with. */
  readonly runId: string | null
  /** When that run's schema was read. */
  readonly recordedAt: string | null
  /** Why nothing can be said; null: it was compared. */
  readonly unknown: string | null
  readonly differences: readonly DriftDifference[]
}
