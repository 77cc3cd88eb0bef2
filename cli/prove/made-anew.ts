import type { CatalogState } from '../catalog/read-catalog.ts'
import type { Content } from './rows.ts'

/** A table, or a column of one, that the up drops and the down makes again. */
export interface MadeAnew {
  /** Qualified. */
  readonly table: string
  readonly column: string | null
}

/** Whatever is in them in production is gone, also where there is nothing in them here. */
export function madeAnew(before: CatalogState, after: CatalogState): readonly MadeAnew[] {
  const now = new Map([...after.relations].map(([id, relation]) => [relation.name, { id, ...relation }]))
  return [...before.relations].flatMap(([id, { name, columns, entry }]): readonly MadeAnew[] => {
    const same = now.get(name)
    if (same === undefined || !entry.lines.some((line) => TABLE.test(line))) return []
    if (same.id !== id) return [{ table: name, column: null }]
    return anewIn(columns, same.columns).map((column) => ({ table: name, column }))
  })
}

const TABLE = /^(?:partitioned )?table /

/** Names of the columns that are others than before, by their numbers. */
function anewIn(before: string, after: string): readonly string[] {
  const had = JSON.parse(before) as Readonly<Record<string, string>>
  const has = new Map(
    Object.entries(JSON.parse(after) as Record<string, string>).map(([number, name]) => [name, number]),
  )
  return Object.entries(had).flatMap(([number, name]) => {
    const found = has.get(name)
    return found !== undefined && found !== number ? [name] : []
  })
}

/** How many rows, or values, there were in it. */
export function valuesOf({ table, column }: MadeAnew, content: Content): number {
  const found = content.get(table)
  return (column === null ? found?.rows : found?.columns.get(column)?.values) ?? 0
}

export function anewText({ table, column }: MadeAnew): string {
  return column === null
    ? `- rows of ${table}: the up drops the table, and the down makes it again without them`
    : `- values of ${table}.${column}: the up drops the column, and the down makes it again without them`
}
