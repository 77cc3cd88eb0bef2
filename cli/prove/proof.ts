import type { Proof as ProofEntry } from '../../lambda/analysis-contract.ts'

/** What up, down and up again have shown of a migration. */
export interface Proof extends ProofEntry {
  readonly id: string
  /** What is lost, or differs: a line each, begun with `-` for what is missing and `+` for what is too much. */
  readonly differences: readonly string[]
}
