import { engineContext } from './actions.ts'
import type { RequirementResourceProperties } from './contract.ts'
import type { CustomResourceEvent } from './custom-resource-event.ts'
import { history } from './engine/inspect.ts'
import { saysRollback } from './engine/deployment/rollback.ts'
import { LockstepError, messageOf, UNTOUCHED } from './errors.ts'
import { attemptRequirement } from './intent.ts'
import type { Lockstep } from './lockstep.ts'
import { currentOf } from './engine/migration/repeatable.ts'

/** The requirement that a resource made with `DatabaseMigration.fromServiceToken` is; null for any other. */
export function requirementOf(properties: Readonly<Record<string, unknown>>): RequirementResourceProperties | null {
  const { require: required, set } = properties
  return typeof required === 'string' ? { require: required, set: typeof set === 'string' ? set : '' } : null
}

/**
 * Succeeds when the database has the required migration; always when CloudFormation takes a change of the requirement
 * back: it changes nothing, and failing would strand the stack in UPDATE_ROLLBACK_FAILED.
 *
 * @throws LockstepError `REQUIREMENT_NOT_MET`, `CONFIG_INVALID` for another set, `DATABASE_UNREACHABLE`.
 */
export async function meetRequirement(
  lockstep: Lockstep,
  requirement: RequirementResourceProperties,
  event: CustomResourceEvent,
): Promise<Readonly<Record<string, string>>> {
  const takesBack = await attempt(lockstep, requirement, event)
  try {
    return { Current: await check(lockstep, requirement) }
  } catch (error) {
    if (event.RequestType !== 'Update') throw error
    if (!(saysRollback(await lockstep.stackStatus(event.StackId)) ?? takesBack)) throw error
    lockstep.log.warn('the requirement is not met, but this is a rollback, which a requirement does not hold up', {
      require: requirement.require,
      error: messageOf(error),
    })
    return { Current: await currentIfKnown(lockstep, error) }
  }
}

async function check(lockstep: Lockstep, requirement: RequirementResourceProperties): Promise<string> {
  refuseOtherSet(lockstep.config.set, requirement.set)
  const { migrations } = await history(engineContext(lockstep))
  const current = currentOf(migrations)?.id ?? null
  if (migrations.some((entry) => entry.id === requirement.require)) return current ?? ''
  throw new LockstepError({
    code: 'REQUIREMENT_NOT_MET',
    message: `The database does not have the migration "${requirement.require}" that this stack requires: it is ${current === null ? 'without any migration' : `at ${current}`}.`,
    state: UNTOUCHED,
    remedy: 'Deploy the stack that migrates the database first, then this one again.',
    migration: requirement.require,
  })
}

/** Whether the change of the requirement takes an earlier one back; false where that is not known. */
async function attempt(
  lockstep: Lockstep,
  requirement: RequirementResourceProperties,
  { OldResourceProperties, StackId, LogicalResourceId }: CustomResourceEvent,
): Promise<boolean> {
  const before = requirementOf(OldResourceProperties ?? {})
  if (before === null || lockstep.config.snapshots === null) return false
  const change = {
    resource: `${StackId}/${LogicalResourceId}/requirement`,
    from: JSON.stringify(before),
    to: JSON.stringify(requirement),
  }
  try {
    return await attemptRequirement(lockstep.snapshots().store, change, lockstep.clock.now())
  } catch (error) {
    lockstep.log.warn('the change of the requirement cannot be recorded', { error: messageOf(error) })
    return false
  }
}

async function currentIfKnown(lockstep: Lockstep, error: unknown): Promise<string> {
  // Connecting has just taken all the time that it may.
  if (!(error instanceof LockstepError) || error.code !== 'REQUIREMENT_NOT_MET') return ''
  try {
    return (await history(engineContext(lockstep))).migrations.at(-1)?.id ?? ''
  } catch {
    return ''
  }
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
