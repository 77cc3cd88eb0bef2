import type { Content, TableContent } from './rows.ts'

/** What the rows of before have lost after the down, and what is too much: they should be as they were. */
export function notBroughtBack(before: Content, after: Content): readonly string[] {
  return [...lostRows(before, after), ...leftRows(before, after)]
}

/** In tables that were empty. */
function leftRows(before: Content, after: Content): readonly string[] {
  return [...after].flatMap(([table, { rows }]) =>
    before.has(table) ? [] : [`+ rows of ${table}: 0 before the up, ${rows} after the down`],
  )
}

function lostRows(before: Content, after: Content): readonly string[] {
  return [...before].flatMap(([table, had]) => {
    const has = after.get(table)
    if (has?.rows !== had.rows)
      return [`- rows of ${table}: ${had.rows} before the up, ${has?.rows ?? 0} after the down`]
    if (has.hash === had.hash) return []
    const columns = [...had.columns].flatMap(([column, { values, hash }]) => {
      const now = has.columns.get(column)
      if (now?.hash === hash && now.values === values) return []
      const place = `${table}.${column}`
      return now?.values === values
        ? [`- values of ${place}: ${values} before the up, others after the down`]
        : [`- values of ${place}: ${values} before the up, ${now?.values ?? 0} after the down`]
    })
    return columns.length > 0 ? columns : [`- rows of ${table}: their values are swapped after the down`]
  })
}

/**
 * What was there before the down and is not after the up again. Counted and not compared: what an up makes up itself
 * (a time, a random id) is another each time.
 */
export function lostByDown(before: Content, after: Content): readonly string[] {
  return [...before].flatMap(([table, had]) => {
    const has = after.get(table)
    if ((has?.rows ?? 0) < had.rows) return [`- rows of ${table}: the down loses ${lost(had, has)}`]
    return [...had.columns].flatMap(([column, { values }]) => {
      const now = has?.columns.get(column)?.values ?? 0
      return now < values ? [`- values of ${table}.${column}: the down loses ${values - now} of ${values}`] : []
    })
  })
}

function lost(had: TableContent, has: TableContent | undefined): string {
  return has === undefined ? `all ${had.rows}` : `${had.rows - has.rows} of ${had.rows}`
}
