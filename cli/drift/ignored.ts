import type { DriftDifference } from '../../lambda/drift-contract.ts'
import { matchesTable } from '../../lambda/snapshot/scope.ts'

const NAMES = /^("(?:[^"]|"")+"|[^".(]+)\.("(?:[^"]|"")+"|[^".(]+)/

/**
 * Whether a difference does not count. Pure.
 *
 * @param patterns - `schema.name` with `*` for anything; of what is in no schema `kind.name` (`publication.dbz_*`)
 */
export function isIgnored({ kind, identity }: DriftDifference, patterns: readonly string[]): boolean {
  const [, schema, name] = NAMES.exec(identity.replace(/^[a-z ]+ (?=\S+\.)/, '')) ?? []
  const table =
    schema === undefined || name === undefined
      ? { schema: kind, name: unquoted(identity) }
      : { schema: unquoted(schema), name: unquoted(name) }
  return patterns.some((pattern) => matchesTable(pattern, table))
}

function unquoted(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name
}
