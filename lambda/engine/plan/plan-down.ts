import { LockstepError, UNTOUCHED } from '../../errors.ts'
import { unknownMigration } from './plan.ts'
import { isRepeatable } from '../migration/repeatable.ts'
import type { AppliedMigration } from '../history/state.ts'

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
  const versioned = newestFirst.filter((entry) => !isRepeatable(entry))
  switch (target.kind) {
    case 'steps':
      if (!Number.isInteger(target.steps) || target.steps < 1) throw invalidSteps(target.steps)
      return withLaterRepeatables(versioned.slice(0, target.steps), newestFirst)
    case 'to': {
      const index = versioned.findIndex((entry) => entry.id === target.id)
      if (index === -1) throw unknownMigration(target.id, 'among the applied ones')
      return withLaterRepeatables(versioned.slice(0, index), newestFirst)
    }
    case 'base':
      return newestFirst
    case 'ids':
      return newestFirst.filter((entry) => target.ids.includes(entry.id))
    default:
      return target satisfies never
  }
}

/** What was made after the oldest of these may stand on it: its text of before is put back first. */
function withLaterRepeatables(
  chosen: readonly AppliedMigration[],
  newestFirst: readonly AppliedMigration[],
): readonly AppliedMigration[] {
  const oldest = chosen.at(-1)
  if (oldest === undefined) return []
  return newestFirst.filter((entry) =>
    isRepeatable(entry) ? entry.position > oldest.position : chosen.includes(entry),
  )
}

function invalidSteps(steps: number): LockstepError {
  return new LockstepError({
    code: 'EVENT_INVALID',
    message: `"steps" is ${steps}.`,
    state: UNTOUCHED,
    remedy: 'Give how many migrations to revert: a whole number from 1 on.',
  })
}
