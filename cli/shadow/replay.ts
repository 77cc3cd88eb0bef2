import { LockstepError } from '../../lambda/errors.ts'
import { compareIds, type MigrationGraph, type Node } from '../../lambda/engine/migration-graph.ts'
import { loadParser } from '../../lambda/engine/statements.ts'
import { upStep } from '../../lambda/engine/step.ts'
import { extensionError, missingExtension } from './missing-extension.ts'
import type { ShadowDatabase } from './shadow-database.ts'

/** Everything that a database which is up to date has run, in order: the repeatables last. */
export function nodesOf({ ordered, repeatables }: MigrationGraph): readonly Node[] {
  const last = repeatables.toSorted((a, b) => compareIds(a.id, b.id))
  return [...ordered, ...last.map((migration): Node => ({ migration, parents: [] }))]
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
