import type { AnalysisEntry } from '../../analysis-contract.ts'
import type { PlanProblem } from '../../contract.ts'
import type { ErrorCode } from '../../errors.ts'
import type { Violation } from './existing-data.ts'
import type { Step } from '../plan/step.ts'
import type { Statistics } from './weigh.ts'

/** What a policy says of a run. */
export interface PolicyVerdict {
  /** Why the run is refused; empty: it is not. */
  readonly problems: readonly PolicyProblem[]
  readonly warnings: readonly string[]
}

export interface PolicyProblem extends PlanProblem {
  readonly code: ErrorCode
}

/** What is known of the run that is asked for. */
export interface RunFacts {
  readonly database: string
  readonly steps: readonly Step[]
  /** By id; only entries whose checksum is that of the file. */
  readonly analysis: ReadonlyMap<string, AnalysisEntry>
  /** Ids of those that an earlier run has done in part. @default none */
  readonly begun?: readonly string[]
  /** Whether a snapshot is taken before the first statement. */
  readonly snapshot: boolean
  /** The database's name as the caller gave it. Null: not given. */
  readonly confirm: string | null
  /** Of the live database. */
  readonly live: Live
  /** Rows of it that a pending statement would refuse. @default none */
  readonly violations?: readonly Violation[]
}

export interface Live {
  /** Of the relations that hazards name; what is not there is missing. */
  readonly relations: ReadonlyMap<string, Statistics>
  /** Nothing but Lockstep's own is in it. */
  readonly isEmpty: boolean
}
