import type { Hazard, Severity } from '../../analysis-contract.ts'
import { AFTERMATH } from './aftermath.ts'
import { CLIENTS } from './clients.ts'
import { LOCKS } from './locks.ts'
import { REWRITES } from './rewrites.ts'

/** What a hazard does to the table while it lasts, and so what its length grows with. */
export type Work = 'rewrite' | 'scan' | 'index' | 'lock'

/** One kind of hazard: what there is to know of it, whatever the statement. */
export interface HazardKind {
  readonly title: string
  /** What it blocks or breaks, and for whom: one line. */
  readonly blocks: string
  /** How to do the same without it. */
  readonly safely: string
  /** Where the size of the table is not known. */
  readonly severity: Severity
  /** Null where the size of the table does not matter. */
  readonly work: Work | null
  /** What of the statement's run on the shadow shows it. */
  readonly observed: string
}

/** Every hazard that Lockstep finds by itself. Ids are stable. */
export const HAZARDS = { ...LOCKS, ...REWRITES, ...CLIENTS, ...AFTERMATH } satisfies Readonly<
  Record<string, HazardKind>
>

export type HazardId = keyof typeof HAZARDS

const RULE = /^squawk:[a-z0-9-]+$/

/** The kind of a hazard by its id; null for a rule of squawk. */
export function kindOf(id: string): HazardKind | null {
  return Object.hasOwn(HAZARDS, id) ? HAZARDS[id as HazardId] : null
}

/** Whether `lockstep:allow` may name it. */
export function isHazardId(id: string): boolean {
  return kindOf(id) !== null || RULE.test(id)
}

/** Whether an `allow` of this id silences the hazard: by its own id, or by the rule of squawk that says the same. */
export function isAllowedBy(hazard: Pick<Hazard, 'id' | 'rules'>, allowed: string): boolean {
  return hazard.id === allowed || hazard.rules.includes(allowed)
}

const RANK: { readonly [S in Severity]: number } = { notice: 0, warning: 1, error: 2, critical: 3 }

/** Whether a hazard is one that production refuses. */
export function isSevere({ severity }: Pick<Hazard, 'severity'>): boolean {
  return RANK[severity] >= RANK.error
}
