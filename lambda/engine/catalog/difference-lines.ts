import type { CatalogDifference } from './catalog.ts'

/** How many lines of a long text are shown. */
const MOST_LINES = 8

/** A difference as lines of text: `-` for what is missing, `+` for what is too much. */
export function differenceLines(differences: readonly CatalogDifference[]): readonly string[] {
  return differences.flatMap(({ name, missing, added, isWhole }) => {
    if (isWhole) return [`${missing.length > 0 ? '-' : '+'} ${headline(name, [...missing, ...added])}`]
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

/** What says of a thing that it is there at all: `table public.users`. */
function headline(name: string, lines: readonly string[]): string {
  const [, kind = null] = lines.map((line) => OWNED.exec(line)).find((match) => match !== null) ?? []
  if (kind !== null) return kind.includes(name) ? kind : `${kind} ${name}`
  return lines.some((line) => line.startsWith('CREATE OR REPLACE')) ? `function ${name}` : name
}

const OWNED = /^([^\n]*?)(?: unlogged| temporary)? owner /

/** A line of a table or a type says nothing of whose it is. */
function labelled(name: string, line: string): string {
  const text = shortened(line)
  return OF_A_RELATION.test(line) || !line.includes(name) ? `${name}: ${text}` : text
}

const OF_A_RELATION =
  /^(?:column|constraint|not null|name of not null|order of columns|as|policy|inherits|partition of|internal trigger|foreign table)\b/

function shortened(text: string): string {
  return cut(text.split('\n')).join('\n  ')
}
