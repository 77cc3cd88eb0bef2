import type pg from 'pg'
import type { CatalogTable } from './catalog.ts'
import { matchesName, matchesTable, type SnapshotSelection, type TableName } from './scope.ts'

/** A table, and why its rows are not to be copied; null: they are. */
export interface ChosenTable<T = CatalogTable> {
  readonly table: T
  readonly omitted: 'scope' | 'excluded' | null
}

export interface Choice<T = CatalogTable> {
  readonly tables: readonly ChosenTable<T>[]
  /** Patterns and names of the selection that fit no table: maybe somebody has mistyped them. */
  readonly unmatched: readonly string[]
}

/** The tables that a partition is a part of, by its oid. Partitions alone carry rows, but people name their parent. */
export type PartitionAncestors = ReadonlyMap<string, readonly TableName[]>

const PARTITION_ANCESTORS = `
  SELECT p.oid::text AS oid, n.nspname::text AS schema, c.relname::text AS name
    FROM pg_catalog.pg_class p, pg_catalog.pg_partition_ancestors(p.oid) AS a (relid),
         pg_catalog.pg_class c, pg_catalog.pg_namespace n
   WHERE p.relispartition AND p.relkind = 'r' AND c.oid = a.relid AND c.oid <> p.oid AND n.oid = c.relnamespace`

export async function readPartitionAncestors(client: pg.Client): Promise<PartitionAncestors> {
  const { rows } = await client.query<TableName & { readonly oid: string }>(PARTITION_ANCESTORS)
  const ancestors = new Map<string, TableName[]>()
  for (const { oid, schema, name } of rows) {
    const known = ancestors.get(oid) ?? []
    known.push({ schema, name })
    ancestors.set(oid, known)
  }
  return ancestors
}

/** Decides which tables' rows a snapshot holds. Pure. */
export function chooseTables<T extends TableName & { readonly oid: string }>(
  tables: readonly T[],
  ancestors: PartitionAncestors,
  selection: SnapshotSelection,
): Choice<T> {
  const matched = new Set<string>()
  const matching = (patterns: readonly string[], names: readonly TableName[]): boolean => {
    const found = patterns.filter((pattern) => names.some((name) => matchesTable(pattern, name)))
    for (const pattern of found) matched.add(pattern)
    return found.length > 0
  }
  const inScope = scopeTest(selection.scope, matched)
  const chosen = tables.map((table): ChosenTable<T> => {
    if (table.schema === selection.historySchema) return { table, omitted: null }
    const names = [table, ...(ancestors.get(table.oid) ?? [])]
    // Both are asked, so that each pattern that fits anything counts as matched.
    const isExcluded = matching(selection.exclude, names)
    const isWanted = inScope(names)
    if (isExcluded) return { table, omitted: 'excluded' }
    return { table, omitted: isWanted ? null : 'scope' }
  })
  const { scope, exclude } = selection
  const asked = [...exclude, ...(scope.kind === 'schemas' ? scope.schemas : [])]
  return { tables: chosen, unmatched: asked.filter((pattern) => !matched.has(pattern)) }
}

type ScopeTest = (names: readonly TableName[]) => boolean

function scopeTest(scope: SnapshotSelection['scope'], matched: Set<string>): ScopeTest {
  switch (scope.kind) {
    case 'database':
      return () => true
    case 'schemas':
      return (names) => {
        const found = scope.schemas.filter((pattern) => names.some(({ schema }) => matchesName(pattern, schema)))
        for (const pattern of found) matched.add(pattern)
        return found.length > 0
      }
    case 'affected': {
      const wanted = new Set(scope.tables.map(keyOf))
      return (names) => names.some((name) => wanted.has(keyOf(name)))
    }
    default:
      return scope satisfies never
  }
}

function keyOf({ schema, name }: TableName): string {
  return JSON.stringify([schema, name])
}
