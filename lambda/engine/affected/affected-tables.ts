import type { Connection } from '../database.ts'
import type { Migration } from '../migration/migration.ts'
import { loadParser, splitSection, type Statement } from '../migration/statements.ts'
import type { Step } from '../plan/step.ts'
import { readCatalog } from './catalog.ts'
import { closeOver, type Told } from './closure.ts'
import { readDependents, type Dependent } from './dependents.ts'
import { mentionsIn } from './mentions.ts'

export interface AffectedTable {
  readonly schema: string
  readonly name: string
  /** Such as `ALTER TABLE in 20261121143000_add_email`. */
  readonly why: string
}

/** What migrations can touch. */
export type Affected =
  | { readonly kind: 'tables'; readonly tables: readonly AffectedTable[] }
  /** It cannot be told: any table may be touched. */
  | { readonly kind: 'unsure'; readonly why: string }

/**
 * Which tables of a database, as it is now, have rows that these steps can change or drop. Never too few: where code
 * cannot be read, it is all of them. Reading a table, an index, a comment or a constraint changes no row.
 *
 * @throws SqlError, ConnectionLostError
 */
export async function affectedTables(connection: Connection, steps: readonly Step[]): Promise<Affected> {
  const code = steps.find((step) => step.kind === 'ts')
  if (code !== undefined) return { kind: 'unsure', why: `${code.id} is code` }
  await loadParser()
  const told = steps.flatMap(toldBy)
  const catalog = await readCatalog(connection)
  let dependents: readonly Dependent[] = []
  let starts = -1
  for (;;) {
    const closure = closeOver(told, catalog, dependents)
    if (closure.unsure !== null) return { kind: 'unsure', why: closure.unsure }
    if (closure.starts.length === starts) {
      const tables = [...closure.changed].flatMap(([oid, why]) => {
        const relation = catalog.relations.get(oid)
        return relation?.hasRows === true ? [{ schema: relation.schema, name: relation.name, why }] : []
      })
      return { kind: 'tables', tables }
    }
    starts = closure.starts.length
    dependents = await readDependents(connection, closure.starts)
  }
}

/** A run that fails runs the downs of what it has committed, without another snapshot. */
function toldBy(step: Step): readonly Told[] {
  if (step.kind === 'ts') return []
  // What is to be true before is asked in a read-only transaction; what is to be true after is not.
  const own = toldIn(step.id, [...step.statements, ...step.verify])
  return step.direction === 'up' ? [own, toldIn(`the down of ${step.id}`, undoOf(step.migration))] : [own]
}

function undoOf(migration: Migration): readonly Statement[] {
  if (migration.kind !== 'sql' || migration.down === null || migration.directives.irreversible !== null) return []
  // What cannot stand there is refused when it is to be run.
  return splitSection(migration, migration.down, () => {})
}

function toldIn(place: string, statements: readonly Statement[]): Told {
  return { in: place, mentions: statements.flatMap(({ sql }) => mentionsIn(sql)) }
}
