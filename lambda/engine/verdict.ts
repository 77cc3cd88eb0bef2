import type { AnalysisEntry, Hazard, ResolvedPolicy } from '../analysis-contract.ts'
import type { PlanProblem } from '../contract.ts'
import type { ErrorCode } from '../errors.ts'
import type { PlanHazard } from '../plan-contract.ts'
import { isAllowedBy, isSevere, kindOf } from './hazard.ts'
import type { Migration } from './migration.ts'
import { isRepeatable } from './repeatable.ts'
import type { Step } from './step.ts'
import { violationText, type Violation } from './existing-data.ts'
import { weighed, type Statistics } from './weigh.ts'

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

/** Decides whether a run may begin. Pure. */
export function judgeRun({ policy }: ResolvedPolicy, run: RunFacts): PolicyVerdict {
  // Nobody has to prove a repeatable, or to look at it: what undoes it is the text before. What was seen of it counts.
  const facts = { ...run, steps: run.steps.filter((step) => !isRepeatable(step)) }
  const isUp = run.steps[0]?.direction === 'up'
  if (!isUp && facts.steps.length === 0) return { problems: [], warnings: [] }
  if (!isUp)
    return {
      problems: [...judgeConfirmation(policy.confirmDowns, facts), ...judgeDownSnapshot(policy.requireSnapshot, facts)],
      warnings: [],
    }
  const hazards = run.steps.flatMap((step) => severeHazards(step.migration, run))
  const problems = [
    ...(policy.requireProof ? facts.steps.flatMap(({ migration }) => judgeProof(migration, facts)) : []),
    ...(policy.hazards === 'refuse'
      ? [...judgeUnknown(facts), ...judgeTaken(facts), ...hazards.map(hazardProblem)]
      : []),
    ...(policy.requireSnapshot ? facts.steps.flatMap(({ migration }) => judgeSnapshot(migration, facts)) : []),
  ]
  const violations = (facts.violations ?? []).filter(({ step }) => !allows(step.migration, 'existing-data-violates'))
  // What an earlier statement may correct is for the run to find out.
  const refused = policy.hazards === 'refuse' ? violations.filter(({ isCertain }) => isCertain) : []
  return {
    problems: [...problems, ...refused.map(violationProblem)],
    warnings: [
      ...(policy.hazards === 'warn' ? hazards.map(hazardText) : []),
      ...violations.filter((each) => !refused.includes(each)).map(placedViolation),
    ],
  }
}

function allows({ directives }: Migration, id: string): boolean {
  return directives.allow.some(({ hazard }) => hazard === id)
}

function placedViolation(violation: Violation): string {
  const { step, line } = violation
  return `${step.migration.file}, line ${line}: existing-data-violates: ${violationText(violation)}`
}

function violationProblem(violation: Violation): PolicyProblem {
  return {
    code: 'HAZARD_REFUSED',
    migration: violation.step.id,
    message: `${placedViolation(violation)}.`,
    remedy: 'Correct the rows first, in a migration before it: this one would fail.',
  }
}

function judgeConfirmation(required: boolean, { confirm, database }: RunFacts): readonly PolicyProblem[] {
  if (!required || confirm === database) return []
  const given =
    confirm === null ? 'the database was not named' : `"${confirm}" was named, but the database is "${database}"`
  return [
    {
      code: 'CONFIRMATION_REQUIRED',
      migration: null,
      message: `A revert must be confirmed with the name of the database: ${given}.`,
      remedy: `Give "confirm": "${database}" with the event, or --confirm ${database}.`,
    },
  ]
}

function judgeDownSnapshot(required: boolean, { snapshot, steps }: RunFacts): readonly PolicyProblem[] {
  if (!required || snapshot) return []
  const ids = steps.map(({ id }) => id).join(', ')
  return [needsSnapshot(null, `A revert (${ids}) loses what was written since`)]
}

function judgeProof(migration: Migration, { analysis }: RunFacts): readonly PolicyProblem[] {
  const { id } = migration
  const proof = analysis.get(id)?.proof ?? null
  if (proof !== null && proof.verdict !== 'broken') return []
  return [
    {
      code: 'HAZARD_REFUSED',
      migration: id,
      message:
        proof === null ? `${id} is not proven: nobody has tried it as it is.` : `${id} is broken: ${proof.detail}`,
      remedy: 'Run "lockstep prove --write" before the deployment, and deploy what it wrote beside the migrations.',
    },
  ]
}

/** What nobody has looked at may hold any hazard. */
function judgeUnknown({ steps, analysis }: RunFacts): readonly PolicyProblem[] {
  return steps
    .filter(({ id }) => (analysis.get(id)?.hazards ?? null) === null)
    .map(({ id }) => ({
      code: 'HAZARD_REFUSED',
      migration: id,
      message: `${id} was not looked at for hazards as it is.`,
      remedy: 'Run "lockstep lint --write" before the deployment, and deploy what it wrote beside the migrations.',
    }))
}

/** Hazards after which a name may be free again. */
const FREES_NAMES = new Set(['table-dropped', 'view-dropped', 'table-renamed'])
const FREES_ANY_NAME = new Set(['drop-cascades', 'schema-dropped', 'schema-renamed', 'code-not-seen'])

/**
 * What the run is to make is there already, by a way that the history does not know: IF NOT EXISTS leaves it as it is, and
 * what else the migration does to it was seen on a table of its own making.
 */
function judgeTaken({ steps, analysis, live }: RunFacts): readonly PolicyProblem[] {
  const freed = steps.flatMap(({ id }) => analysis.get(id)?.hazards ?? [])
  if (live.isEmpty || freed.some(({ id }) => FREES_ANY_NAME.has(id))) return []
  const names = new Set(freed.flatMap(({ id, relation }) => (FREES_NAMES.has(id) ? (relation ?? []) : [])))
  return steps.flatMap(({ id }) =>
    (analysis.get(id)?.creates ?? [])
      .filter((name) => live.relations.has(name) && !names.has(name))
      .map((name) => ({
        code: 'HAZARD_REFUSED',
        migration: id,
        message: `${id} makes ${name}, which is there already, though no migration has made it.`,
        remedy: 'Bring it into the history with a migration before this one, or drop or rename it.',
      })),
  )
}

/** What is not there by its name is either made by the run, or has another name until the run gives it this one. */
function matters(relation: string | null, { live, analysis }: Pick<RunFacts, 'analysis' | 'live'>): boolean {
  if (relation === null || live.relations.has(relation)) return true
  return ![...analysis.values()].some(({ creates }) => creates.includes(relation))
}

interface Severe {
  readonly migration: Migration
  readonly hazard: Hazard
}

/** The hazards of a migration on what exists, weighed by it, those that the file allows among them. Pure. */
export function liveHazards(
  { id, directives }: Pick<Migration, 'id' | 'directives'>,
  facts: Pick<RunFacts, 'analysis' | 'live'>,
): readonly PlanHazard[] {
  const { analysis, live } = facts
  // Nobody uses an empty database, nor what is not there yet because this run makes it.
  if (live.isEmpty) return []
  const hazards = analysis.get(id)?.hazards ?? []
  return hazards
    .filter(({ relation }) => matters(relation, facts))
    .map((hazard) => ({
      ...weighed(hazard, hazard.relation === null ? undefined : live.relations.get(hazard.relation)),
      allowed: directives.allow.find((entry) => isAllowedBy(hazard, entry.hazard))?.reason ?? null,
    }))
}

function severeHazards(migration: Migration, facts: RunFacts): readonly Severe[] {
  return liveHazards(migration, facts)
    .filter((hazard) => hazard.allowed === null && isSevere(hazard))
    .map((hazard) => ({ migration, hazard }))
}

function hazardText({ migration: { file }, hazard }: Severe): string {
  const place = hazard.line === null ? file : `${file}, line ${hazard.line}`
  return `${place}: ${hazard.id} (${hazard.severity}): ${hazard.detail}`
}

function hazardProblem(severe: Severe): PolicyProblem {
  const { migration, hazard } = severe
  const safely = kindOf(hazard.id)?.safely.replace(/\.$/, '') ?? 'Correct it'
  return {
    code: 'HAZARD_REFUSED',
    migration: migration.id,
    message: `${hazardText(severe)}.`,
    remedy: `${safely}, or accept it at the top of the file with "-- lockstep:allow ${hazard.id} <reason>".`,
  }
}

/** What a down cannot bring back. */
const LOSES_DATA = new Set([
  'column-dropped',
  'table-dropped',
  'schema-dropped',
  'drop-cascades',
  'table-truncated',
  'truncate-cascades',
  'delete-without-where',
  'data-deleted',
  'data-updated',
  'rows-changed-by-code',
  'code-not-seen',
  'update-without-where',
])

function judgeSnapshot(migration: Migration, facts: RunFacts): readonly PolicyProblem[] {
  const { snapshot, analysis, live } = facts
  if (snapshot || live.isEmpty) return []
  const { id, directives, down } = migration
  const hazards = analysis.get(id)?.hazards ?? []
  const loss = hazards.find(({ id, relation }) => LOSES_DATA.has(id) && matters(relation, facts))
  if (loss !== undefined) return [needsSnapshot(id, `${id} loses data (${loss.detail})`)]
  if (directives.irreversible !== null) return [needsSnapshot(id, `${id} is irreversible (${directives.irreversible})`)]
  return down === null ? [needsSnapshot(id, `${id} has no down`)] : []
}

function needsSnapshot(migration: string | null, why: string): PolicyProblem {
  return {
    code: 'HAZARD_REFUSED',
    migration,
    message: `${why}, and no snapshot is taken before it.`,
    remedy:
      "Let the run take a snapshot (--snapshots, without --no-snapshot; the construct's snapshot), or switch requireSnapshot off.",
  }
}
