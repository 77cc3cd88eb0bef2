import { LockstepError, UNTOUCHED } from '../../errors.ts'

/** Takes a problem of a migration file. Whoever wants to hear of all of them returns; otherwise it is thrown. */
export type Report = (problem: LockstepError) => void

/** Ends at the first problem. */
export const refuse: Report = (problem) => {
  throw problem
}

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
