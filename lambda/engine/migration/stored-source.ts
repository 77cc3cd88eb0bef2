import { stripTypeScriptTypes } from 'node:module'
import { messageOf } from '../../errors.ts'
import { loadArchived, type CodeArchive } from './code-archive.ts'
import { checksumOf } from './migration-directory.ts'
import type { MigrationGraph } from '../plan/migration-graph.ts'
import type { Migration } from './migration.ts'
import { parseSqlMigration } from './sql-migration.ts'
import type { AppliedMigration } from '../history/state.ts'
import { irreversibleMigration } from '../plan/step.ts'
import { parseTypeScriptMigration } from './typescript-migration.ts'

/**
 * The migration to revert an applied one with. The file serves when it is what was applied, or when only its down was
 * mended since; otherwise the source in the history does, which is all that old code has after a rollback.
 */
export async function migrationToRevert(
  applied: AppliedMigration,
  graph: MigrationGraph,
  stored: { readonly source: string | undefined; readonly archive: CodeArchive | null },
): Promise<Migration> {
  const file = graph.byId.get(applied.id)?.migration
  if (file?.checksum === applied.checksum) return file
  if (stored.source === undefined) throw irreversibleMigration(applied.id, 'the history does not hold its source')
  const migration = await migrationFromSource(applied, stored.source, stored.archive)
  return file && haveTheSameUp(file, migration) ? file : migration
}

function haveTheSameUp(left: Migration, right: Migration): boolean {
  if (left.kind !== 'sql' || right.kind !== 'sql') return false
  const text = (migration: typeof left): string => migration.up.blocks.map((block) => block.text.trim()).join('\n')
  return text(left) === text(right)
}

/** Reads a migration from the source that the history holds. @throws LockstepError `MIGRATION_IRREVERSIBLE`. */
export async function migrationFromSource(
  applied: AppliedMigration,
  source: string,
  archive: CodeArchive | null,
): Promise<Migration> {
  const base = { migration: applied.id, file: `${applied.id}.${applied.kind}`, source, checksum: checksumOf(source) }
  if (base.checksum !== applied.checksum) {
    throw irreversibleMigration(applied.id, 'the source in the history does not have the checksum recorded with it')
  }
  if (applied.kind === 'sql') return parseSqlMigration(base)
  return parseTypeScriptMigration({ ...base, exports: await importCode(applied, source, archive) })
}

/** From the archive; without one, from the source, if it imports nothing but types and what Node itself has. */
async function importCode(
  { id, archive: checksum }: AppliedMigration,
  source: string,
  archive: CodeArchive | null,
): Promise<Readonly<Record<string, unknown>>> {
  try {
    if (archive !== null && checksum !== null) return await loadArchived(archive, checksum)
    const code = stripTypeScriptTypes(source)
    return (await import(`data:text/javascript;base64,${Buffer.from(code).toString('base64')}`)) as Readonly<
      Record<string, unknown>
    >
  } catch (error) {
    throw irreversibleMigration(id, `its code cannot be loaded (${messageOf(error)})`)
  }
}
