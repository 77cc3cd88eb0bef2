/** One thing of the schema (a table with all that hangs on it, a function, a type) and what is said of it. */
export interface CatalogEntry {
  /** Of `lines`: two entries with the same hash are the same. */
  readonly hash: string
  /** Sorted. Each says all of one thing: a column, an index, a privilege. */
  readonly lines: readonly string[]
}

/** All of a database's schema, by the names of its things. */
export type Catalog = ReadonlyMap<string, CatalogEntry>

/** What one of two catalogs has and the other has not. */
export interface CatalogDifference {
  /** The thing's name. */
  readonly name: string
  /** Lines that only the first has. */
  readonly missing: readonly string[]
  /** Lines that only the second has. */
  readonly added: readonly string[]
  /** Whether only one of the two has it at all. */
  readonly isWhole: boolean
}

/** How `after` differs from `before`, in the order of names. Empty: they are the same. */
export function differenceBetween(before: Catalog, after: Catalog): readonly CatalogDifference[] {
  const names = new Set([...before.keys(), ...after.keys()])
  return [...names].toSorted().flatMap((name): readonly CatalogDifference[] => {
    const [left, right] = [before.get(name), after.get(name)]
    if (left?.hash === right?.hash) return []
    const [had, has] = [left?.lines ?? [], right?.lines ?? []]
    return [
      {
        name,
        missing: without(had, has),
        added: without(has, had),
        isWhole: left === undefined || right === undefined,
      },
    ]
  })
}

/** Each of the others takes one line of the same text away: two things may be said in the same words. */
function without(lines: readonly string[], others: readonly string[]): readonly string[] {
  const left = new Map<string, number>()
  for (const line of others) left.set(line, (left.get(line) ?? 0) + 1)
  return lines.filter((line) => {
    const count = left.get(line) ?? 0
    left.set(line, count - 1)
    return count <= 0
  })
}
