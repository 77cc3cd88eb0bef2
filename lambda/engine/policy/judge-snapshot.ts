import { matters } from './judge-hazards.ts'
import type { Migration } from '../migration/migration.ts'
import { isRepeatable } from '../migration/repeatable.ts'
import type { PolicyProblem, RunFacts } from './run-facts.ts'

export function judgeDownSnapshot(required: boolean, { snapshot, steps }: RunFacts): readonly PolicyProblem[] {
  if (!required || snapshot) return []
  const ids = steps.map(({ id }) => id).join(', ')
  return [needsSnapshot(null, `A revert (${ids}) loses what was written since`)]
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
])

export function judgeSnapshot(migration: Migration, facts: RunFacts): readonly PolicyProblem[] {
  const { snapshot, analysis, live } = facts
  if (snapshot || live.isEmpty) return []
  const { id, directives, down } = migration
  const hazards = analysis.get(id)?.hazards ?? null
  const loss = hazards?.find(({ id, relation }) => LOSES_DATA.has(id) && matters(relation, facts))
  if (loss !== undefined) return [needsSnapshot(id, `${id} loses data (${loss.detail})`)]
  if (directives.irreversible !== null) return [needsSnapshot(id, `${id} is irreversible (${directives.irreversible})`)]
  if (hazards === null) return [needsSnapshot(id, `Nobody has looked at what ${id} loses`)]
  // What undoes a repeatable is the text before.
  return down === null && !isRepeatable(migration) ? [needsSnapshot(id, `${id} has no down`)] : []
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
