import { Fault } from './fault.ts'
import type { SnapshotManifest } from './manifest.ts'
import type { Relations } from './post-data-plan.ts'
import type { ScriptStatement } from './script-statement.ts'

/** Some tables of a snapshot may have their rows left out; such a snapshot is good for a copy, not for the original. */
export function refuseToReplace(manifest: SnapshotManifest): void {
  const omitted = omittedIn(manifest)
  if (omitted.length === 0) return
  const named = omitted.slice(0, 5).join(', ') + (omitted.length > 5 ? ` and ${omitted.length - 5} more` : '')
  throw new Fault(
    `the snapshot holds no rows of ${named}: in the place of the database it would lose them.`,
    'Restore beside the database with "into" (--into NAME), or single tables with "tables" (--table schema.table).',
  )
}

function omittedIn({ tables }: SnapshotManifest): readonly string[] {
  return tables.filter(({ omitted }) => omitted !== null).map(({ schema, name }) => `${schema}.${name}`)
}

/** The first version in which a partitioned table can have a foreign key that was not checked. */
const PARTITIONED_NOT_VALID = 180_000

export interface Adapted {
  readonly statements: readonly ScriptStatement[]
  /** A sentence for each foreign key that is not there, or not checked. */
  readonly warnings: readonly string[]
}

/**
 * Rows may refer to rows that are not in the snapshot: such foreign keys are added NOT VALID, so that they hold for
 * what is written from now on. Pure.
 */
export function withUncheckedKeys(
  statements: readonly ScriptStatement[],
  manifest: SnapshotManifest,
  relations: Pick<Relations, 'descendantsOf'>,
  serverVersion: number,
): Adapted {
  const omitted = new Set(omittedIn(manifest))
  if (omitted.size === 0) return { statements, warnings: [] }
  const lacksRows = (table: string): boolean =>
    [table, ...relations.descendantsOf(table)].some((name) => omitted.has(name))
  const warnings: string[] = []
  const adapted = statements.flatMap((statement) => {
    const { effect, sql } = statement
    if (effect.kind !== 'foreign-key' || !effect.valid || !lacksRows(effect.referenced)) return [statement]
    const key = `The foreign key from ${effect.table} to ${effect.referenced}, whose rows are not in the snapshot,`
    if (serverVersion < PARTITIONED_NOT_VALID && relations.descendantsOf(effect.table).length > 0) {
      warnings.push(
        `${key} is left out: before PostgreSQL 18 a partitioned table cannot have one that was not checked.`,
      )
      return []
    }
    warnings.push(`${key} is NOT VALID.`)
    return [{ ...statement, sql: `${sql} NOT VALID` }]
  })
  return { statements: adapted, warnings }
}
