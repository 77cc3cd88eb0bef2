import type { ErrorReport } from '../../lambda/contract.ts'
import type { Migration } from '../../lambda/engine/migration/migration.ts'
import { UNTOUCHED } from '../../lambda/errors.ts'

export type WayBack =
  | { readonly kind: 'open' }
  /** It is declared that there is none. */
  | { readonly kind: 'declared'; readonly reason: string }
  | { readonly kind: 'missing'; readonly error: ErrorReport }

/** Whether what a run has applied can be reverted as a whole. Pure. */
export function wayBackOf(applied: readonly Migration[]): WayBack {
  const missing = applied.find(({ down, directives }) => down === null && directives.irreversible === null)
  if (missing !== undefined) {
    const error = {
      code: 'MIGRATION_IRREVERSIBLE',
      message: `${missing.id} has no down, and does not declare "-- lockstep:irreversible <reason>".`,
      state: UNTOUCHED,
      remedy: 'Write the down, or declare why there is none.',
      migration: missing.id,
      file: missing.file,
    }
    return { kind: 'missing', error }
  }
  const declared = applied.flatMap(({ id, directives }) =>
    directives.irreversible === null ? [] : [`${id} is declared irreversible: ${directives.irreversible}`],
  )
  return declared.length === 0 ? { kind: 'open' } : { kind: 'declared', reason: declared.join('; ') }
}
