import { LockstepError, UNTOUCHED } from '../errors.ts'
import { unknownMigration } from './plan.ts'
import type { AppliedMigration } from './state.ts'

/** How far down to go. */
export type DownTarget =
  | { readonly kind: 'steps'; readonly steps: number }
  | { readonly kind: 'to'; readonly id: string }
  | { readonly kind: 'base' }
  | { readonly kind: 'ids'; readonly ids: readonly string[] }

/**
 * Which migrations a down reverts, newest first. Pure.
 *
 * @throws LockstepError `MIGRATION_UNKNOWN` when the target is not applied, `EVENT_INVALID` for steps below one.
 */
export function planDown(applied: readonly AppliedMigration[], target: DownTarget): readonly AppliedMigration[] {
  const newestFirst = applied.toReversed()
  switch (target.kind) {
    case 'steps':
      if (!Number.isInteger(target.steps) || target.steps < 1) throw invalidSteps(target.steps)
      return newestFirst.slice(0, target.steps)
    case 'to': {
      const index = newestFirst.findIndex((entry) => entry.id === target.id)
      if (index === -1) throw unknownMigration(target.id, 'among the applied ones')
      return newestFirst.slice(0, index)
    }
    case 'base':
      return newestFirst
    case 'ids':
      return newestFirst.filter((entry) => target.ids.includes(entry.id))
    default:
      return target satisfies never
  }
}

function invalidSteps(steps: number): LockstepError {
  return new LockstepError({
    code: 'EVENT_INVALID',
    message: `"steps" is ${steps}.`,
    state: UNTOUCHED,
    remedy: 'Give how many migrations to revert: a whole number from 1 on.',
  })
}
