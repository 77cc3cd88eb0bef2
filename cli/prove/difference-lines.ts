import type { CatalogDifference } from '../catalog/catalog.ts'

/** How many lines of a long text are shown. */
const MOST_LINES = 8

/** A difference as lines of text: `-` for what is missing, `+` for what is too much. */
export function differenceLines(differences: readonly CatalogDifference[]): readonly string[] {
  return differences.flatMap(({ name, missing, added }) => {
    const pairs = missing.flatMap((had) => {
      const has = added.find((line) => isSameThing(had, line))
      return has === undefined ? [] : [{ had, has }]
    })
    const paired = new Set(pairs.flatMap(({ had, has }) => [had, has]))
    return [
      ...missing.filter((line) => !paired.has(line)).map((line) => `- ${labelled(name, line)}`),
      ...added.filter((line) => !paired.has(line)).map((line) => `+ ${labelled(name, line)}`),
      ...pairs.flatMap(({ had, has }) => changedLines(name, had, has)),
    ]
  })
}

/** Long texts of the same beginning: a view's query, a function. */
function isSameThing(had: string, has: string): boolean {
  return had.includes('\n') && has.includes('\n') && had.slice(0, 2) === has.slice(0, 2)
}

function changedLines(name: string, had: string, has: string): readonly string[] {
  const [before, after] = [had.split('\n'), has.split('\n')]
  const lost = before.filter((line) => !after.includes(line)).map((line) => `- ${name}: ${line.trim()}`)
  const won = after.filter((line) => !before.includes(line)).map((line) => `+ ${name}: ${line.trim()}`)
  // The same lines in another order.
  if (lost.length + won.length === 0) return [`- ${name}: ${shortened(had)}`, `+ ${name}: ${shortened(has)}`]
  return [...cut(lost), ...cut(won)]
}

function cut(lines: readonly string[]): readonly string[] {
  if (lines.length <= MOST_LINES) return lines
  const [first = ''] = lines
  return [...lines.slice(0, MOST_LINES), `${first.slice(0, 1)} … and ${lines.length - MOST_LINES} more lines`]
}

function labelled(name: string, line: string): string {
  const text = shortened(line)
  return line.includes(name) ? text : `${name}: ${text}`
}

function shortened(text: string): string {
  return cut(text.split('\n')).join('\n  ')
}
