/** What is known of a migration before it runs. A part of the contract: imports nothing. */

/** How much a hazard matters. Production refuses `error` and `critical`. */
export const SEVERITIES = ['notice', 'warning', 'error', 'critical'] as const
export type Severity = (typeof SEVERITIES)[number]

/** What a statement would lock, rewrite, scan, break or lose, as it was observed where it was tried. */
export interface Hazard {
  /** A stable name of docs/hazards.md, or `squawk:<rule>`. */
  readonly id: string
  readonly severity: Severity
  /** 1-based, of the statement in the file; null for what code ran. */
  readonly line: number | null
  /** `schema.name` of the relation that it is about, if there is one. */
  readonly relation: string | null
  /** What was seen. */
  readonly detail: string
  /** SQL that does the same without the hazard, where it can be given. */
  readonly safe: string | null
  /** Rules of squawk that say the same: `squawk:<rule>`. */
  readonly rules: readonly string[]
}

/** Whether a down undoes its up, as it was tried. */
export const VERDICTS = ['proven', 'lossy', 'broken', 'irreversible'] as const
export type Verdict = (typeof VERDICTS)[number]

export interface Proof {
  readonly verdict: Verdict
  /** What is lost, or why. */
  readonly detail: string
}

/** Locks on a table that queries do not take, the weakest first, as PostgreSQL's manual writes them. */
export const TABLE_LOCKS = [
  'SHARE UPDATE EXCLUSIVE',
  'SHARE',
  'SHARE ROW EXCLUSIVE',
  'EXCLUSIVE',
  'ACCESS EXCLUSIVE',
] as const
export type TableLock = (typeof TABLE_LOCKS)[number]

/** The strongest lock that a migration takes on a relation that was there before it. */
export interface RelationLock {
  /** `schema.name` */
  readonly relation: string
  readonly mode: TableLock
  /** 1-based, of the first statement in the file that takes it; null for what code ran. */
  readonly line: number | null
}

/** What is known of one migration. It counts while the file has this checksum. */
export interface AnalysisEntry {
  readonly checksum: string
  /** Null: it was not tried. */
  readonly proof: Proof | null
  /** Null: it was not looked at. Those that the file allows are among them. */
  readonly hazards: readonly Hazard[] | null
  /** Tables and views that it makes: in the same run, what happens to them matters to nobody. */
  readonly creates: readonly string[]
  /** What it locks, sorted by relation. Null, or absent in what older versions wrote: nobody looked. */
  readonly locks?: readonly RelationLock[] | null
}

/** Where a run works, and so how careful it is. */
export const ENVIRONMENTS = ['development', 'staging', 'production'] as const
export type EnvironmentName = (typeof ENVIRONMENTS)[number]

/** What a run does about hazards of severity `error` and `critical` that the file does not allow. */
export const HAZARD_POLICIES = ['refuse', 'warn', 'ignore'] as const
export type HazardPolicy = (typeof HAZARD_POLICIES)[number]

/** What a run does about a schema that is not what the history says. */
export const DRIFT_POLICIES = ['fail', 'warn', 'ignore'] as const
export type DriftPolicy = (typeof DRIFT_POLICIES)[number]

/** What an environment demands of a run. */
export interface Policy {
  readonly hazards: HazardPolicy
  /** Whether a migration must have been tried, up and down, and not be broken. */
  readonly requireProof: boolean
  /** Whether what cannot be undone, or loses data, needs a snapshot. */
  readonly requireSnapshot: boolean
  /** Whether a revert must name the database. */
  readonly confirmDowns: boolean
  readonly onDrift: DriftPolicy
}

/** Where the value of a switch comes from. */
export const POLICY_SOURCES = ['default', 'preset', 'file', 'property', 'environment variable', 'option'] as const
export type PolicySource = (typeof POLICY_SOURCES)[number]

/** A policy, and where each switch of it was set. */
export interface ResolvedPolicy {
  /** Null: none was named, and nothing is demanded. */
  readonly environment: EnvironmentName | null
  readonly policy: Policy
  readonly sources: { readonly [K in 'environment' | keyof Policy]: PolicySource }
}
