/** What a plan tells of a run before it begins: part of the contract, and as stable. */

import type { Hazard, Proof, RelationLock, ResolvedPolicy } from './analysis-contract.ts'
import type { AppliedKind, ErrorReport, PlanProblem, SnapshotMode } from './contract.ts'
import type { SnapshotEstimate } from './snapshot-contract.ts'

/** A hazard as the live database makes it: weighed by the size of its table. */
export interface PlanHazard extends Hazard {
  /** Why its file accepts it; null: it does not. */
  readonly allowed: string | null
}

/** What the server says of a relation now, its partitions counted in. */
export interface RelationSize {
  /** An estimate. Null: it was never analysed. */
  readonly rows: number | null
  /** With its indexes. */
  readonly bytes: number
  /** On average. Null: not known. */
  readonly writesPerSecond: number | null
}

/** The strongest lock of a migration on a relation that exists. */
export interface PlanLock extends RelationLock {
  /** Null: the relation gets this name in the same run. */
  readonly size: RelationSize | null
}

/**
 * What undoing a migration would be. `proven`, `lossy` and `broken`: as it was tried. `untried`: there is a down, and nobody
 * has tried it. `irreversible`: the file says so. `none`: there is no down.
 */
export const REVERT_KINDS = ['proven', 'lossy', 'broken', 'untried', 'irreversible', 'none'] as const
export type RevertKind = (typeof REVERT_KINDS)[number]

export interface PlanRevert {
  readonly kind: RevertKind
  /** What would be lost, or why. May be empty. */
  readonly detail: string
}

export interface PlanStep {
  readonly id: string
  /** The file's name. */
  readonly file: string
  readonly direction: 'up' | 'down'
  readonly kind: AppliedKind
  readonly transactional: boolean
  /** Steps with the same number share a transaction. */
  readonly segment: number
  readonly statements: number
  /** Whether its down undoes it, as it was tried. Null: this text of it was not. */
  readonly proof: Proof | null
  /** What undoing it would be. Null for a step that reverts. */
  readonly revert: PlanRevert | null
  /** What it would rewrite, scan, break or lose of what exists. Null: nobody looked. */
  readonly hazards: readonly PlanHazard[] | null
  /** Which relations that exist it would lock, sorted by name. Null: nobody looked. */
  readonly locks: readonly PlanLock[] | null
  /** Present with `sql: true`. */
  readonly sql?: string
}

/** What psql runs with the result of the run, or why there is no such script. */
export type PlanScript =
  | { readonly sql: string; readonly refused: null }
  | { readonly sql: null; readonly refused: ErrorReport }

export interface PlanResult {
  readonly database: string
  readonly set: string
  readonly action: 'up' | 'down'
  /** Of all that decides what the run would do: the same as long as nothing of it has changed. 24 hexadecimal digits. */
  readonly hash: string
  readonly current: string | null
  readonly target: string | null
  readonly steps: readonly PlanStep[]
  readonly problems: readonly PlanProblem[]
  readonly warnings: readonly string[]
  readonly snapshot: SnapshotMode
  /** Present when there are steps and a logical snapshot would be taken before them; null when it cannot be told. */
  readonly snapshotEstimate?: SnapshotEstimate | null
  /** What the environment demands, and where each switch of it was set. */
  readonly policy: ResolvedPolicy
  /** Present with `script: true`. */
  readonly script?: PlanScript
}
