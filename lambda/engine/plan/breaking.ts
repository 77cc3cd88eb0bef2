import { LockstepError, messageOf, UNTOUCHED } from '../../errors.ts'
import type { CodeArchive } from '../migration/code-archive.ts'
import type { EngineContext } from '../context.ts'
import type { Connection } from '../database.ts'
import { isRepeatable } from '../migration/repeatable.ts'
import { readSources, type AppliedMigration } from '../history/state.ts'
import { migrationFromSource } from '../migration/stored-source.ts'

/** An applied migration that code from before it does not work with. */
export interface Breaking {
  readonly id: string
  /** What its author says of it. */
  readonly text: string
}

/** Which of these are marked `breaking`, by the sources that the history holds: this code has no files of them. */
export async function breakingAmong(
  context: EngineContext,
  connection: Connection,
  strangers: readonly AppliedMigration[],
  archive: CodeArchive | null,
): Promise<readonly Breaking[]> {
  const versioned = strangers.filter((entry) => !isRepeatable(entry))
  const ids = versioned.map((entry) => entry.id)
  const sources = await readSources(connection, context, ids)
  const found: Breaking[] = []
  for (const entry of versioned) {
    try {
      const { directives } = await migrationFromSource(entry, sources.get(entry.id) ?? '', archive)
      if (directives.breaking !== null) found.push({ id: entry.id, text: directives.breaking })
    } catch (error) {
      context.log.warn('whether a migration is breaking cannot be told', {
        migration: entry.id,
        error: messageOf(error),
      })
    }
  }
  return found
}

export function describeBreaking(breaking: readonly Breaking[]): string {
  return breaking.map(({ id, text }) => `${id} (${text})`).join(', ')
}

/** The error for code that is older than a breaking migration of its database. */
export function databaseAheadError(breaking: readonly Breaking[]): LockstepError {
  const [oldest] = breaking
  return new LockstepError({
    code: 'DATABASE_AHEAD',
    message: `The database is ahead of this deployment by what is marked breaking: ${describeBreaking(breaking)}.`,
    state: UNTOUCHED,
    remedy: `Deploy the newer commit again, or revert first: "down --to" the migration before ${oldest?.id}.`,
    ...(oldest === undefined ? {} : { migration: oldest.id }),
  })
}
