import { saysRollback } from './engine/deployment/rollback.ts'
import { messageOf } from './errors.ts'
import { attemptOf, deletionOf, overtakes, readIntent, writeIntent, type Intent, type Transition } from './intent.ts'
import { knownIntent } from './known-intent.ts'
import type { Lockstep } from './lockstep.ts'

/**
 * Records that a Delete has arrived, before it waits for any lock: a creation that has the lock before it is reverted or
 * kept, and one that has it later finds this record. Never throws.
 */
export async function announceDeletion(
  { config, snapshots, clock, log }: Lockstep,
  {
    resource,
    migrations,
    requestId,
  }: { readonly resource: string; readonly migrations: string; readonly requestId: string },
): Promise<void> {
  if (config.snapshots === null) return
  try {
    const { store } = snapshots()
    const deletion = deletionOf(resource, migrations)
    const known = await readIntent(store, deletion)
    await writeIntent(store, attemptOf(deletion, { requestId, now: clock.now(), known }))
  } catch (error) {
    log.warn('that the resource is deleted cannot be recorded', { error: messageOf(error) })
  }
}

/**
 * Whether a later event of the resource has taken back what this one was to do while it waited: CloudFormation does not
 * wait for a custom resource once another one has failed. Asked by whoever holds the lock. Never throws.
 */
export async function isOvertaken(
  lockstep: Lockstep,
  intent: Intent,
  event: { readonly stackId: string; readonly opposite: Transition | null },
): Promise<boolean> {
  if (lockstep.config.snapshots === null) return false
  try {
    const [deletion, opposite] = await Promise.all([
      knownIntent(lockstep, deletionOf(intent.resource, intent.to)),
      event.opposite === null ? null : knownIntent(lockstep, event.opposite),
    ])
    if (overtakes(deletion, intent) || overtakes(opposite, intent)) return true
    // A Create that was delivered late looks like one of a later deployment, but for what CloudFormation says.
    return deletion !== null && intent.from === null && endsResources(await lockstep.stackStatus(event.stackId))
  } catch (error) {
    lockstep.log.warn('whether a later event has come cannot be found out', { error: messageOf(error) })
    return false
  }
}

function endsResources(stackStatus: string | null): boolean {
  return saysRollback(stackStatus) === true || stackStatus?.startsWith('DELETE_') === true
}
