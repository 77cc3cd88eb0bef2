import type { Connection } from '../database.ts'
import { loadParser } from '../statements.ts'
import type { Step } from '../step.ts'
import { readCatalog } from './catalog.ts'
import { closeOver, type Told } from './closure.ts'
import { readDependents, type Dependent } from './dependents.ts'
import { mentionsIn, type Mention } from './mentions.ts'

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
  const told = steps.map(toldBy)
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

function toldBy(step: Step): Told {
  const statements = step.kind === 'sql' ? step.statements : []
  return { in: step.id, mentions: statements.flatMap((statement): readonly Mention[] => mentionsIn(statement.sql)) }
}
