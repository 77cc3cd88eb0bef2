import type { PlanProblem } from '../../contract.ts'
import { LockstepError, UNTOUCHED, type ErrorCode } from '../../errors.ts'
import { ancestorsOf, type MigrationGraph, type Node } from './migration-graph.ts'
import type { SqlMigration } from '../migration/migration.ts'
import { changedRepeatables, isRepeatable } from '../migration/repeatable.ts'
import type { AppliedMigration } from '../history/state.ts'

/** A finding that prevents a run, before it becomes an error. */
export interface Problem extends PlanProblem {
  readonly code: ErrorCode
}

/** What files and history say of each other. */
export interface UpPlan {
  /** To be applied, in order. */
  readonly pending: readonly Node[]
  /** Whose texts have changed, in order; applied after all that is pending. */
  readonly repeatables: readonly SqlMigration[]
  /** Applied without a file, newest last: the database is ahead of the files. */
  readonly ahead: readonly string[]
  readonly problems: readonly Problem[]
}

/**
 * Compares files with history. Pure: touches nothing.
 *
 * @param to - apply only what this migration needs, itself included. @default every pending migration
 * @throws LockstepError `MIGRATION_UNKNOWN` when `to` is not among the files.
 */
export function planUp(graph: MigrationGraph, applied: readonly AppliedMigration[], to?: string): UpPlan {
  if (to !== undefined && !graph.byId.has(to)) throw unknownMigration(to, 'among the files')
  const appliedIds = new Set(applied.map((entry) => entry.id))
  const wanted = to === undefined ? null : ancestorsOf(graph, to)
  const unapplied = graph.ordered.filter((node) => !appliedIds.has(node.migration.id))
  const pending = unapplied.filter((node) => wanted === null || wanted.has(node.migration.id))
  const ahead = applied.filter((entry) => !isRepeatable(entry) && !graph.byId.has(entry.id)).map((entry) => entry.id)
  // Older code must not put its views on top of newer tables, nor newer code on tables that are yet to be changed.
  const isWhole = ahead.length === 0 && pending.length === unapplied.length
  return {
    pending,
    repeatables: isWhole ? changedRepeatables(graph, applied) : [],
    ahead,
    problems: [
      ...multipleHeads(graph),
      ...changedChecksums(graph, applied),
      ...missingFiles(graph, applied, unapplied.length > 0),
      ...outOfOrder(graph, unapplied, appliedIds),
    ],
  }
}

function multipleHeads(graph: MigrationGraph): readonly Problem[] {
  if (graph.heads.length < 2) return []
  return [
    {
      code: 'MULTIPLE_HEADS',
      migration: null,
      message: `The set has ${graph.heads.length} heads: ${graph.heads.join(', ')}.`,
      remedy: `Add a migration with "-- lockstep:after ${graph.heads.join(', ')}" that joins them, or put one after the other.`,
    },
  ]
}

function changedChecksums(graph: MigrationGraph, applied: readonly AppliedMigration[]): readonly Problem[] {
  return applied.flatMap((entry): readonly Problem[] => {
    const file = graph.byId.get(entry.id)?.migration
    if (file === undefined || file.checksum === entry.checksum) return []
    return [
      {
        code: 'HISTORY_CHECKSUM_CHANGED',
        migration: entry.id,
        message: `${file.file} was changed after it was applied on ${entry.appliedAt.toISOString()}: its checksum is ${short(file.checksum)}, the applied one ${short(entry.checksum)}.`,
        remedy: 'Restore the file as it was applied, and put the change into a new migration.',
      },
    ]
  })
}

/** A missing file is only a newer database when nothing known comes after it; otherwise the file was deleted. */
function missingFiles(
  graph: MigrationGraph,
  applied: readonly AppliedMigration[],
  somethingPending: boolean,
): readonly Problem[] {
  const lastKnown = applied.findLastIndex((entry) => graph.byId.has(entry.id))
  return applied.flatMap((entry, index): readonly Problem[] => {
    if (isRepeatable(entry) || graph.byId.has(entry.id) || (index > lastKnown && !somethingPending)) return []
    return [
      {
        code: 'HISTORY_FILE_MISSING',
        migration: entry.id,
        message: `${entry.id} was applied on ${entry.appliedAt.toISOString()}, but its file is not there.`,
        remedy:
          'Restore the file from version control, or revert the migration with "down" (the history holds its source).',
      },
    ]
  })
}

function outOfOrder(
  graph: MigrationGraph,
  unapplied: readonly Node[],
  applied: ReadonlySet<string>,
): readonly Problem[] {
  const waiting = new Set(unapplied.map((node) => node.migration.id))
  const reported = new Map<string, string>()
  for (const id of applied) {
    if (!graph.byId.get(id)?.parents.some((parent) => waiting.has(parent))) continue
    for (const ancestor of ancestorsOf(graph, id)) {
      if (waiting.has(ancestor) && !reported.has(ancestor)) reported.set(ancestor, id)
    }
  }
  return [...reported].map(([id, descendant]) => ({
    code: 'HISTORY_OUT_OF_ORDER',
    migration: id,
    message: `${id} is not applied, but ${descendant}, which comes after it, is.`,
    remedy: `Give the file of ${id} a name that sorts after those of all applied migrations.`,
  }))
}

function short(checksum: string): string {
  return checksum.slice(0, 12)
}

/** The first problem as an error, naming the others. */
export function problemError(problems: readonly Problem[]): LockstepError | null {
  const [first, ...others] = problems
  if (first === undefined) return null
  const more = others.length === 0 ? '' : ` (and ${others.length} more: ${others.map(labelOf).join(', ')})`
  return new LockstepError({
    code: first.code,
    message: `${first.message}${more}`,
    state: UNTOUCHED,
    remedy: first.remedy,
    ...(first.migration === null ? {} : { migration: first.migration }),
  })
}

function labelOf(problem: Problem): string {
  return problem.migration === null ? problem.code : `${problem.code} ${problem.migration}`
}

export function unknownMigration(id: string, where: string): LockstepError {
  return new LockstepError({
    code: 'MIGRATION_UNKNOWN',
    message: `There is no migration "${id}" ${where}.`,
    state: UNTOUCHED,
    remedy: 'Give the id of a migration: its file name without extension. "status" and "history" list them.',
  })
}
