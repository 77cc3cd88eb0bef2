import type { Hazard } from '../../analysis-contract.ts'
import type { PlanHazard } from '../../plan-contract.ts'
import { isAllowedBy, isSevere, kindOf } from '../hazards/hazard.ts'
import type { Migration } from '../migration/migration.ts'
import type { PolicyProblem, RunFacts } from './run-facts.ts'
import { weighed } from './weigh.ts'

/** What nobody has looked at may hold any hazard. */
export function judgeUnknown({ steps, analysis }: RunFacts): readonly PolicyProblem[] {
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
 * what else the migration does to it was seen on a table of its own making. What a migration that was cut off finds there
 * may be its own.
 */
export function judgeTaken({ steps, analysis, live, begun = [] }: RunFacts): readonly PolicyProblem[] {
  const freed = steps.flatMap(({ id }) => analysis.get(id)?.hazards ?? [])
  if (live.isEmpty || freed.some(({ id }) => FREES_ANY_NAME.has(id))) return []
  const names = new Set(freed.flatMap(({ id, relation }) => (FREES_NAMES.has(id) ? (relation ?? []) : [])))
  const fresh = steps.filter(({ id }) => !begun.includes(id))
  return fresh.flatMap(({ id }) =>
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
export function matters(relation: string | null, { live, analysis }: Pick<RunFacts, 'analysis' | 'live'>): boolean {
  if (relation === null || live.relations.has(relation)) return true
  return ![...analysis.values()].some(({ creates }) => creates.includes(relation))
}

export interface Severe {
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

export function severeHazards(migration: Migration, facts: RunFacts): readonly Severe[] {
  return liveHazards(migration, facts)
    .filter((hazard) => hazard.allowed === null && isSevere(hazard))
    .map((hazard) => ({ migration, hazard }))
}

export function hazardText({ migration: { file }, hazard }: Severe): string {
  const place = hazard.line === null ? file : `${file}, line ${hazard.line}`
  return `${place}: ${hazard.id} (${hazard.severity}): ${hazard.detail}`
}

export function hazardProblem(severe: Severe): PolicyProblem {
  const { migration, hazard } = severe
  const safely = kindOf(hazard.id)?.safely.replace(/\.$/, '') ?? 'Correct it'
  return {
    code: 'HAZARD_REFUSED',
    migration: migration.id,
    message: `${hazardText(severe)}.`,
    remedy: `${safely}, or accept it at the top of the file with "-- lockstep:allow ${hazard.id} <reason>".`,
  }
}
