/** What a plan tells of a run before it begins: part of the contract, and as stable. */

import type { Hazard, Proof, ResolvedPolicy } from './analysis-contract.ts'
import type { AppliedKind, PlanProblem, SnapshotMode } from './contract.ts'
import type { SnapshotEstimate } from './snapshot-contract.ts'

export interface PlanStep {
  readonly id: string
  readonly direction: 'up' | 'down'
  readonly kind: AppliedKind
  readonly transactional: boolean
  /** Steps with the same number share a transaction. */
  readonly segment: number
  readonly statements: number
  /** Whether its down undoes it, as it was tried. Null: this text of it was not. */
  readonly proof: Proof | null
  /** What it would lock, rewrite, break or lose. Null: nobody looked. */
  readonly hazards: readonly Hazard[] | null
  /** Present with `sql: true`. */
  readonly sql?: string
}

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
}
