import type { LockstepError } from '../../errors.ts'
import { invalidMigration, refuse, type Report } from '../migration/invalid.ts'
import type { Migration, SqlMigration } from '../migration/migration.ts'

/** A migration with its parents, which come before it. */
export interface Node {
  readonly migration: Migration
  readonly parents: readonly string[]
}

/** A set of migrations in the order in which they are applied. */
export interface MigrationGraph {
  readonly ordered: readonly Node[]
  readonly byId: ReadonlyMap<string, Node>
  /** Ids that nothing comes after. One, unless branches were not merged. */
  readonly heads: readonly string[]
  /** Applied after the others, whenever their texts change: no part of the order. */
  readonly repeatables: readonly SqlMigration[]
}

/** By the number that an id begins with, then by code points: `2_b` before `10_a`, and every machine agrees. */
export function compareIds(left: string, right: string): number {
  const [a, b] = [leadingNumber(left), leadingNumber(right)]
  if (a !== null && b !== null && a !== b) return a < b ? -1 : 1
  if (left === right) return 0
  return left < right ? -1 : 1
}

function leadingNumber(id: string): bigint | null {
  const digits = /^\d+/.exec(id)
  return digits ? BigInt(digits[0]) : null
}

/**
 * Orders migrations: parents first, ties by id. Without `lockstep:after` a migration's parent is the previous file.
 *
 * @param report - takes what is wrong with parents; an unknown one then counts for none. @default thrown
 * @throws LockstepError `MIGRATION_INVALID` for a parent that does not exist or a cycle.
 */
export function buildGraph(migrations: readonly Migration[], report: Report = refuse): MigrationGraph {
  const files = migrations.filter((each) => !isRepeatableFile(each)).toSorted((a, b) => compareIds(a.id, b.id))
  const linked = files.map((migration, index): Node => {
    const previous = files[index - 1]
    return { migration, parents: migration.directives.after ?? (previous ? [previous.id] : []) }
  })
  const ids = new Set(files.map(({ id }) => id))
  const nodes = linked.map((node) => withKnownParents(node, ids, report))
  const byId = new Map(nodes.map((node) => [node.migration.id, node]))
  const ordered = order(nodes, report)
  const withChildren = new Set(nodes.flatMap((node) => node.parents))
  const heads = nodes.map((node) => node.migration.id).filter((id) => !withChildren.has(id))
  return { ordered, byId, heads, repeatables: migrations.filter(isRepeatableFile) }
}

function isRepeatableFile(migration: Migration): migration is SqlMigration {
  return migration.kind === 'sql' && migration.repeatable
}

function withKnownParents(node: Node, ids: ReadonlySet<string>, report: Report): Node {
  const { migration, parents } = node
  const unknown = parents.filter((id) => !ids.has(id))
  if (unknown.length === 0) return node
  report(
    invalidMigration({
      migration: migration.id,
      file: migration.file,
      message: `it comes after ${unknown.map((id) => `"${id}"`).join(', ')}, which is not in the set.`,
      remedy: 'Correct the id in lockstep:after, or add the missing file.',
    }),
  )
  return { migration, parents: parents.filter((id) => ids.has(id)) }
}

/** Kahn's algorithm; `nodes` are sorted by id, so the first one that is ready is the right one. */
function order(nodes: readonly Node[], report: Report): readonly Node[] {
  const waiting = [...nodes]
  const placed = new Set<string>()
  const ordered: Node[] = []
  while (waiting.length > 0) {
    const ready = waiting.findIndex((node) => node.parents.every((id) => placed.has(id)))
    if (ready === -1) report(cycle(waiting))
    for (const node of waiting.splice(Math.max(ready, 0), 1)) {
      placed.add(node.migration.id)
      ordered.push(node)
    }
  }
  return ordered
}

function cycle(nodes: readonly Node[]): LockstepError {
  const [first] = nodes
  return invalidMigration({
    migration: first?.migration.id ?? '',
    file: first?.migration.file ?? '',
    message: `${nodes.map((node) => node.migration.id).join(', ')} come after each other in a circle.`,
    remedy: 'Correct lockstep:after in one of them.',
  })
}

/** The ids that must be applied for `id` to be: itself and everything it comes after. */
export function ancestorsOf(graph: MigrationGraph, id: string): ReadonlySet<string> {
  const seen = new Set<string>()
  const todo = [id]
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    if (seen.has(next)) continue
    seen.add(next)
    todo.push(...(graph.byId.get(next)?.parents ?? []))
  }
  return seen
}
