import type { CodeArchive } from '../../lambda/engine/migration/code-archive.ts'
import { failureReport, StepError } from '../../lambda/engine/failure/failure.ts'
import type { MigrationGraph, Node } from '../../lambda/engine/plan/migration-graph.ts'
import type { Migration } from '../../lambda/engine/migration/migration.ts'
import { fileIdOf, isRepeatable } from '../../lambda/engine/migration/repeatable.ts'
import { parseRepeatable } from '../../lambda/engine/migration/sql-migration.ts'
import { migrationFromSource } from '../../lambda/engine/migration/stored-source.ts'
import { errorOf, LockstepError, messageOf } from '../../lambda/errors.ts'
import { replay } from '../shadow/replay.ts'
import type { ShadowDatabase } from '../shadow/shadow-database.ts'
import type { Applied } from './histories.ts'

export const ONLY_READ = 'The database was only read; what is tried, is tried on a server of its own.'

/** The files of one set, which serve where they are what was applied. */
export interface Files {
  readonly schema: string
  readonly set: string
  readonly graph: MigrationGraph
  readonly archive: CodeArchive | null
}

/**
 * What was applied, as migrations. The source in the history is what counts; a file is taken where it is the same, because
 * code finds what it imports beside it.
 *
 * @throws LockstepError `CONFIG_INVALID` for code that cannot be loaded.
 */
export async function nodesFrom(applied: readonly Applied[], files: Files): Promise<readonly Node[]> {
  const nodes: Node[] = []
  for (const one of applied) nodes.push({ migration: withoutQuestions(await migrationOf(one, files)), parents: [] })
  return nodes
}

async function migrationOf({ schema, set, entry, source }: Applied, files: Files): Promise<Migration> {
  if (isRepeatable(entry)) {
    const file = `${fileIdOf(entry)}.sql`
    return parseRepeatable({ migration: entry.id, file, source, checksum: entry.checksum })
  }
  const isOwn = schema === files.schema && set === files.set
  const file = isOwn ? files.graph.byId.get(entry.id)?.migration : undefined
  if (file?.checksum === entry.checksum) return file
  try {
    return await migrationFromSource(entry, source, files.archive)
  } catch (error) {
    throw new LockstepError({
      code: 'CONFIG_INVALID',
      message: `${entry.id} of the set "${set}" is applied and cannot be replayed: ${messageOf(error)}`,
      state: ONLY_READ,
      remedy: isOwn
        ? 'Check out the version that has its file, or give --snapshots of the store in which its code is archived.'
        : `Run it where the files of the set "${set}" are (--set ${set}), or give --snapshots of the store in which its code is archived.`,
      migration: entry.id,
      cause: error,
    })
  }
}

/** What they ask of rows was answered when they were applied, and there are none here. */
function withoutQuestions(migration: Migration): Migration {
  return migration.kind === 'sql' ? { ...migration, require: [], verify: [] } : migration
}

/**
 * Applies what was applied to the live database.
 *
 * @throws LockstepError `MIGRATION_FAILED` for what cannot be applied to an empty database, `CONFIG_INVALID` for an
 *   extension that the server lacks.
 */
export async function replayHistory(database: ShadowDatabase, nodes: readonly Node[]): Promise<void> {
  try {
    await replay(database, nodes)
  } catch (error) {
    if (!(error instanceof StepError)) throw error
    const report = failureReport(error, ONLY_READ, false)
    throw errorOf({
      ...report,
      message: `The history cannot be replayed on an empty database. ${report.message}`,
      remedy:
        'What a migration takes for granted must come from a migration as well (schemas, extensions), or from a server that has it (--shadow-url).',
    })
  }
}
