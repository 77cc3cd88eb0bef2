import type { Hazard } from '../../lambda/analysis-contract.ts'
import { HAZARDS, isAllowedBy, isHazardId } from '../../lambda/engine/hazards/hazard.ts'
import type { Migration } from '../../lambda/engine/migration/migration.ts'
import type { Linted } from './lint-one.ts'

/** A hazard, and why its file accepts it. */
export interface JudgedHazard extends Hazard {
  /** The reason that `lockstep:allow` gives; null: it is not allowed. */
  readonly allowed: string | null
}

/** An `allow` that allows nothing. */
export interface AllowProblem {
  readonly migration: string
  readonly file: string
  /** 1-based; null where the file is code. */
  readonly line: number | null
  readonly hazard: string
  readonly message: string
  readonly remedy: string
}

/** Only a live database shows them, so without one an `allow` of them cannot be called unused. */
const SHOWN_BY_DATABASE: ReadonlySet<string> = new Set(['existing-data-violates', 'concurrent-index-corruption'])

/** Says of each hazard whether its file allows it. */
export function judgeAllowed({ migration, hazards }: Pick<Linted, 'migration' | 'hazards'>): readonly JudgedHazard[] {
  const { allow } = migration.directives
  return hazards.map((hazard) => ({
    ...hazard,
    allowed: allow.find((entry) => isAllowedBy(hazard, entry.hazard))?.reason ?? null,
  }))
}

/**
 * Finds what is allowed without being there. Only for a migration that was looked at by itself and as a whole: as part of a
 * longer run it has fewer hazards.
 *
 * @param hasRules - whether squawk's rules were among those looked for
 */
export function unusedAllows(
  { migration, hazards, observed }: Linted,
  { hasRules }: { readonly hasRules: boolean },
): readonly AllowProblem[] {
  return migration.directives.allow.flatMap(({ hazard }): readonly AllowProblem[] => {
    const place = { migration: migration.id, file: migration.file, line: lineOf(migration, hazard), hazard }
    if (!isHazardId(hazard)) {
      const message = `allows "${hazard}", which is no hazard.`
      return [{ ...place, message, remedy: `Known: ${Object.keys(HAZARDS).join(', ')}, and squawk:<rule>.` }]
    }
    const cannotTell = !observed || SHOWN_BY_DATABASE.has(hazard) || (hazard.startsWith('squawk:') && !hasRules)
    if (cannotTell || hazards.some((each) => isAllowedBy(each, hazard))) return []
    return [{ ...place, message: `allows "${hazard}", which it does not have.`, remedy: 'Remove the line.' }]
  })
}

function lineOf({ kind, source }: Migration, hazard: string): number | null {
  if (kind === 'ts') return null
  const directive = new RegExp(`^\\s*--\\s*lockstep:allow\\s+${hazard.replaceAll(/[^\w:-]/g, '.')}(\\s|$)`)
  const index = source.split('\n').findIndex((line) => directive.test(line))
  return index === -1 ? null : index + 1
}
