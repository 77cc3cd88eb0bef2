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

/** What is known of one migration. It counts while the file has this checksum. */
export interface AnalysisEntry {
  readonly checksum: string
  /** Null: it was not tried. */
  readonly proof: Proof | null
  /** Null: it was not looked at. Those that the file allows are among them. */
  readonly hazards: readonly Hazard[] | null
  /** Tables and views that it makes: in the same run, what happens to them matters to nobody. */
  readonly creates: readonly string[]
}
