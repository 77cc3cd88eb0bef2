import { SqlError } from '../../lambda/engine/database.ts'
import { StepError } from '../../lambda/engine/failure/failure.ts'
import { LockstepError } from '../../lambda/errors.ts'

/** feature_not_supported, undefined_file (PostgreSQL, appendix A): what CREATE EXTENSION answers from 16 on, and before. */
const NOT_THERE = new Set(['0A000', '58P01'])

/** The extension for want of which a statement failed; null when it failed for another reason. */
export function missingExtension(error: unknown): string | null {
  const cause = error instanceof StepError ? error.cause : error
  if (!(cause instanceof SqlError) || !NOT_THERE.has(cause.sqlState)) return null
  const match =
    /extension "([^"]+)" is not available/.exec(cause.message) ??
    /could not open extension control file ".*?([^/"]+)\.control"/.exec(cause.message)
  return match?.[1] ?? null
}

/** What a command says that would need an extension which the shadow server has not. */
export function extensionError(extension: string, migration: string): LockstepError {
  return new LockstepError({
    code: 'CONFIG_INVALID',
    message: `${migration} needs the extension "${extension}", which the server that migrations are tried on does not have.`,
    state: 'The database has not been touched; what is tried, is tried on a server of its own.',
    remedy: `Give --shadow-url of a scratch server that has "${extension}" (a container of the image that you deploy to, for example). Lockstep makes databases of its own there and drops them.`,
    migration,
  })
}
