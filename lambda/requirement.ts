import { engineContext } from './actions.ts'
import type { RequirementResourceProperties } from './contract.ts'
import { history } from './engine/inspect.ts'
import { LockstepError, UNTOUCHED } from './errors.ts'
import type { Lockstep } from './lockstep.ts'

/** The requirement that a resource made with `DatabaseMigration.fromServiceToken` is; null for any other. */
export function requirementOf(properties: Readonly<Record<string, unknown>>): RequirementResourceProperties | null {
  const { require: required, set } = properties
  return typeof required === 'string' ? { require: required, set: typeof set === 'string' ? set : '' } : null
}

/**
 * Succeeds when the database has the required migration.
 *
 * @throws LockstepError `REQUIREMENT_NOT_MET`, `CONFIG_INVALID` for another set, `DATABASE_UNREACHABLE`.
 */
export async function meetRequirement(
  lockstep: Lockstep,
  requirement: RequirementResourceProperties,
): Promise<Readonly<Record<string, string>>> {
  refuseOtherSet(lockstep.config.set, requirement.set)
  const { migrations } = await history(engineContext(lockstep))
  const current = migrations.at(-1)?.id ?? null
  if (migrations.some((entry) => entry.id === requirement.require)) return { Current: current ?? '' }
  throw new LockstepError({
    code: 'REQUIREMENT_NOT_MET',
    message: `The database does not have the migration "${requirement.require}" that this stack requires: it is ${current === null ? 'without any migration' : `at ${current}`}.`,
    state: UNTOUCHED,
    remedy: 'Deploy the stack that migrates the database first, then this one again.',
    migration: requirement.require,
  })
}

function refuseOtherSet(own: string, wanted: string): void {
  if (wanted === '' || wanted === own) return
  throw new LockstepError({
    code: 'CONFIG_INVALID',
    message: `The requirement is on the set "${wanted}", but this function migrates the set "${own}".`,
    state: UNTOUCHED,
    remedy: 'Give the service token of the DatabaseMigration with that set.',
  })
}
