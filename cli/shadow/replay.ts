import { LockstepError } from '../../lambda/errors.ts'
import { compareIds, type MigrationGraph, type Node } from '../../lambda/engine/plan/migration-graph.ts'
import type { Migration } from '../../lambda/engine/migration/migration.ts'
import { loadParser } from '../../lambda/engine/migration/statements.ts'
import { upStep } from '../../lambda/engine/plan/step.ts'
import { extensionError, missingExtension } from './missing-extension.ts'
import type { ShadowDatabase } from './shadow-database.ts'

/** Everything that a database which is up to date has run, in order: the repeatables last. */
export function nodesOf(graph: MigrationGraph): readonly Node[] {
  return [...graph.ordered, ...repeatablesOf(graph)]
}

/** The files of `repeatable/`, in the order in which they are applied. */
export function repeatablesOf({ repeatables }: MigrationGraph): readonly Node[] {
  const sorted = repeatables.toSorted((a, b) => compareIds(a.id, b.id))
  return sorted.map((migration): Node => ({ migration, parents: [] }))
}

/** Every file of the set by its id, the repeatables among them. */
export function filesById(graph: MigrationGraph): ReadonlyMap<string, Migration> {
  return new Map(nodesOf(graph).map(({ migration }) => [migration.id, migration]))
}

/**
 * Applies migrations one by one, each committed.
 *
 * @throws StepError for the one that fails, LockstepError `MIGRATION_INVALID`, `CONFIG_INVALID` for an extension that the
 *   server does not have.
 */
export async function replay(database: ShadowDatabase, nodes: readonly Node[]): Promise<void> {
  await loadParser()
  for (const node of nodes) await applyNode(database, node)
}

async function applyNode(database: ShadowDatabase, node: Node): Promise<void> {
  try {
    await database.apply(upStep(node))
  } catch (error) {
    const extension = missingExtension(error)
    throw extension === null || error instanceof LockstepError ? error : extensionError(extension, node.migration.id)
  }
}
