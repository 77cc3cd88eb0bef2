import type { Hazard, Severity } from '../../lambda/analysis-contract.ts'
import type { HazardId } from '../../lambda/engine/hazards/hazard.ts'
import type { SquawkFinding } from './squawk.ts'

/** Which of our own hazards say the same as a rule, having seen it happen. */
const SAME: Readonly<Record<string, readonly HazardId[]>> = {
  'squawk:require-concurrent-index-creation': ['index-not-concurrent'],
  'squawk:require-concurrent-index-deletion': ['index-dropped-not-concurrent'],
  'squawk:require-concurrent-reindex': ['reindex-not-concurrent'],
  'squawk:require-concurrent-partition-detach': ['partition-detached'],
  'squawk:constraint-missing-not-valid': [
    'check-constraint-validated',
    'foreign-key-validated',
    'unique-constraint-builds-index',
    'exclusion-constraint-builds-index',
    'validated-under-lock',
  ],
  'squawk:adding-foreign-key-constraint': ['foreign-key-validated'],
  'squawk:adding-field-with-default': ['rewrite-column-default', 'rewrite-generated-column'],
  'squawk:adding-not-nullable-field': ['set-not-null-scans', 'not-null-without-default'],
  'squawk:adding-required-field': ['not-null-without-default'],
  'squawk:adding-serial-primary-key-field': ['unique-constraint-builds-index', 'rewrite-column-default'],
  'squawk:disallowed-unique-constraint': ['unique-constraint-builds-index'],
  'squawk:changing-column-type': ['rewrite-column-type'],
  'squawk:renaming-column': ['column-renamed'],
  'squawk:renaming-table': ['table-renamed'],
  'squawk:ban-drop-column': ['column-dropped'],
  'squawk:ban-drop-table': ['table-dropped'],
  'squawk:ban-drop-not-null': ['not-null-dropped'],
  'squawk:ban-truncate-cascade': ['truncate-cascades'],
  'squawk:ban-alter-domain-with-add-constraint': ['domain-constraint-validated'],
  'squawk:prefer-repack': ['rewrite-table'],
}

/** What Lockstep's own session sees to, with or without a word in the file. */
const SEEN_TO: Readonly<Record<string, string>> = {
  'squawk:require-lock-timeout': 'Lockstep sets lock_timeout (5 s, or the lock-timeout of the file)',
  'squawk:require-statement-timeout': 'Lockstep sets statement_timeout to the time that is left',
  'squawk:prefer-robust-stmts': 'Lockstep runs the file in a transaction, or resumes at the failed statement',
}

/** Of these a mistake costs a database, whatever was observed. */
const GRAVE = new Set(['squawk:ban-drop-database', 'squawk:ban-uncommitted-transaction'])

/**
 * Our hazards with what squawk says: beside the same one where it was seen, else on its own. Where the shadow showed that
 * it does not happen it is a notice. Nothing that squawk says is left out.
 *
 * @param observed - whether the migration ran to its end on the shadow
 */
export function withSquawk(
  hazards: readonly Hazard[],
  findings: readonly SquawkFinding[],
  { observed, lineAfter }: { readonly observed: boolean; readonly lineAfter: (line: number) => number },
): readonly Hazard[] {
  const rules = new Map<Hazard, string[]>()
  const own: Hazard[] = []
  for (const finding of findings) {
    const same = hazards.find((hazard) => saysTheSame(hazard, finding, lineAfter))
    if (same === undefined) own.push(hazardOf(finding, observed))
    else rules.set(same, [...(rules.get(same) ?? []), finding.rule])
  }
  return [...hazards.map((hazard) => ({ ...hazard, rules: [...new Set(rules.get(hazard) ?? [])].toSorted() })), ...own]
}

function saysTheSame(
  { id, line }: Hazard,
  { rule, line: first, lastLine }: SquawkFinding,
  lineAfter: (line: number) => number,
): boolean {
  if (line === null || !(SAME[rule] ?? []).some((same) => same === id)) return false
  // A finding begins within the statement, or at the comment above it.
  return first < lineAfter(line) && lastLine >= line
}

function hazardOf(finding: SquawkFinding, observed: boolean): Hazard {
  const { rule, line, message, help } = finding
  const note = noteOf(finding, observed)
  const detail = [message, ...(help === null ? [] : [help]), ...(note === null ? [] : [`(${note}.)`])].join(' ')
  return { id: rule, severity: severityOf(finding, note), line, relation: null, detail, safe: null, rules: [] }
}

function noteOf({ rule, isMoot }: SquawkFinding, observed: boolean): string | null {
  const seenTo = SEEN_TO[rule]
  if (seenTo !== undefined) return seenTo
  if (isMoot) return 'Lockstep runs the file in a transaction'
  return observed && SAME[rule] !== undefined
    ? 'Where it was tried, it did not happen to a table that was there before'
    : null
}

function severityOf({ rule }: SquawkFinding, note: string | null): Severity {
  if (GRAVE.has(rule)) return 'error'
  return note === null ? 'warning' : 'notice'
}
