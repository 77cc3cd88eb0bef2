import { LockstepError, UNTOUCHED } from '../errors.ts'

/** A migration file that cannot be used, with the place in it. */
export function invalidMigration(input: {
  readonly migration: string
  readonly file: string
  readonly message: string
  readonly remedy: string
  readonly line?: number
  readonly column?: number
  readonly excerpt?: string
}): LockstepError {
  const { file, line, message, ...rest } = input
  const place = line === undefined ? file : `${file}, line ${line}`
  return new LockstepError({
    ...rest,
    code: 'MIGRATION_INVALID',
    message: `${place}: ${message}`,
    state: UNTOUCHED,
    file,
    ...(line === undefined ? {} : { line }),
  })
}
