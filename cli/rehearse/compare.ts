import type { Connection } from '../../lambda/engine/database.ts'
import { differenceBetween, type Catalog } from '../../lambda/engine/catalog/catalog.ts'
import { readCatalog, type CatalogScope } from '../catalog/read-catalog.ts'
import { readAftermath } from '../lint/aftermath.ts'
import { differenceLines } from '../../lambda/engine/catalog/difference-lines.ts'
import { readContent, type Content } from '../prove/rows.ts'
import { isSerious } from '../prove/verdict.ts'
import type { Comparison } from './rehearsal.ts'

/** The scratch database at one instant. */
export interface Moment {
  readonly catalog: Catalog
  readonly content: Content
  /** Indexes that are invalid, by name. */
  readonly invalid: ReadonlySet<string>
}

export async function readMoment(connection: Connection, scope: CatalogScope): Promise<Moment> {
  const { historySchema } = scope
  const { invalidIndexes } = await readAftermath(connection, historySchema)
  return {
    catalog: (await readCatalog(connection, scope)).catalog,
    content: await readContent(connection, historySchema, null, { hashesLarge: true }),
    invalid: new Set([...invalidIndexes.values()].map(({ relation, name }) => `${name} on ${relation}`)),
  }
}

/** What an up must not leave. */
export function compareIndexes(before: Moment, after: Moment): Comparison {
  const left = [...after.invalid].filter((name) => !before.invalid.has(name))
  return comparison(
    'indexes',
    'before and after up',
    left.map((name) => `+ invalid index ${name}`),
  )
}

/** The way back should lead to where it began, with every row. */
export function compareBack(before: Moment, after: Moment): readonly Comparison[] {
  return [
    comparison('schema', 'before and after down', schemaLines(before, after)),
    comparison('rows', 'before and after down', rowLines(before.content, after.content, 'before', 'after the down')),
  ]
}

/** Values are not compared: what an up makes up itself (a time, a random id) is another each time. */
export function compareAgain(first: Moment, second: Moment): readonly Comparison[] {
  const between = 'after up and after up again'
  return [
    comparison('schema', between, schemaLines(first, second)),
    comparison('rows', between, countLines(first.content, second.content, 'after the up', 'after the up again')),
  ]
}

function comparison(of: Comparison['of'], between: Comparison['between'], differences: readonly string[]): Comparison {
  return { of, between, same: differences.length === 0, differences }
}

/** The order of columns, which a column that is dropped and made anew changes, is no difference to whoever names them. */
function schemaLines({ catalog: before }: Moment, { catalog: after }: Moment): readonly string[] {
  return differenceLines(differenceBetween(before, after).filter(isSerious))
}

function countLines(before: Content, after: Content, had: string, has: string): readonly string[] {
  return [...new Set([...before.keys(), ...after.keys()])].toSorted().flatMap((table) => {
    const [left, right] = [before.get(table)?.rows ?? 0, after.get(table)?.rows ?? 0]
    if (left === right) return []
    return [`${right < left ? '-' : '+'} rows of ${table}: ${left} ${had}, ${right} ${has}`]
  })
}

/** Rows that came or went, and values that are others, or gone, in the rows that stayed. */
function rowLines(before: Content, after: Content, had: string, has: string): readonly string[] {
  const values = [...before].flatMap(([table, content]) => {
    const now = after.get(table)
    if (now === undefined || now.hash === content.hash) return []
    const isSameCount = now.rows === content.rows
    const columns = [...content.columns].filter(([name, { hash, values }]) => {
      const column = now.columns.get(name)
      return isSameCount ? column?.hash !== hash : (column?.values ?? 0) < Math.min(values, now.rows)
    })
    if (columns.length === 0 && !isSameCount) return []
    const where = columns.length === 0 ? '' : ` (${columns.map(([name]) => name).join(', ')})`
    return [`- values of ${table}${where}: others ${has} than ${had}`]
  })
  return [...countLines(before, after, had, has), ...values]
}
