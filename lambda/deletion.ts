import { engineContext, runRequest } from './actions.ts'
import type { CustomResourceEvent } from './custom-resource-event.ts'
import { migrationProperties, resourceOf } from './deployment.ts'
import type { EngineContext } from './engine/context.ts'
import { readCreation, undoCreation, type Creation } from './engine/deployment/deploy.ts'
import { saysRollback } from './engine/deployment/rollback.ts'
import { errorOf, messageOf } from './errors.ts'
import type { Lockstep } from './lockstep.ts'
import { announceDeletion } from './overtaken.ts'

/** A Delete is answered soon, whatever can be found out about it. Milliseconds. */
const PATIENCE_MS = 10_000

/**
 * A Delete never touches the database, with one exception: when CloudFormation itself says that the stack is rolling
 * back, what this resource's creation applied in the same operation is reverted. Never fails: that would strand the
 * stack.
 */
export async function answerDelete(lockstep: Lockstep, event: CustomResourceEvent): Promise<void> {
  const [stackStatus] = await Promise.all([lockstep.stackStatus(event.StackId), announce(lockstep, event)])
  const rollback = saysRollback(stackStatus)
  if (rollback === null) return sayWhatIsKept(lockstep, event)
  if (rollback) return undo(lockstep, event)
  lockstep.log.info('the resource is deleted; the database is kept as it is', { stackStatus })
}

/** Where the bucket does not answer, the Delete does not wait for it. */
async function announce(lockstep: Lockstep, event: CustomResourceEvent): Promise<void> {
  const { migrations } = migrationProperties(event.ResourceProperties)
  const announced = announceDeletion(lockstep, { resource: resourceOf(event), migrations, requestId: event.RequestId })
  await Promise.race([announced, lockstep.clock.sleep(PATIENCE_MS)])
}

async function undo(lockstep: Lockstep, event: CustomResourceEvent): Promise<void> {
  try {
    const result = await undoCreation(contextOf(lockstep, event), {
      ...runRequest(lockstep, event.RequestId),
      ...creationOf(lockstep, event),
      onRollback: lockstep.config.onRollback,
    })
    if (result.error !== undefined) throw errorOf(result.error)
    lockstep.log.info('the stack is rolling back; what its creation applied was reverted', {
      reverted: result.reverted,
    })
  } catch (error) {
    lockstep.log.error('the stack is rolling back, but what its creation applied could not be reverted', {
      error: messageOf(error),
    })
  }
}

async function sayWhatIsKept(lockstep: Lockstep, event: CustomResourceEvent): Promise<void> {
  const applied = await Promise.race([
    readCreation(contextOf(lockstep, event), creationOf(lockstep, event)).catch(() => null),
    lockstep.clock.sleep(PATIENCE_MS).then(() => null),
  ])
  const kept =
    applied === null
      ? 'what its creation applied is not known'
      : `its creation applied: ${applied.join(', ') || 'nothing'}`
  lockstep.log.warn(
    `the resource is deleted, and CloudFormation cannot be asked whether the stack is rolling back: the database is kept as it is. If a first deployment was taken back, revert what it applied by hand with "down" (${kept}).`,
    { applied },
  )
}

/**
 * The set is the event's: a resource that is replaced because its set changed is deleted by the code of the other set.
 * Never pauses: a Delete is answered by its first invocation, and no other one would go on.
 */
function contextOf(lockstep: Lockstep, event: CustomResourceEvent): EngineContext {
  const context = engineContext(lockstep, 'deployment')
  const { set } = migrationProperties(event.ResourceProperties)
  return { ...context, set: set || context.set, shouldPause: () => false }
}

function creationOf({ config }: Lockstep, event: CustomResourceEvent): Creation {
  const { set, migrations } = migrationProperties(event.ResourceProperties)
  const isReplacement = set !== '' && set !== config.set
  return { resource: resourceOf(event), target: migrations, requestType: isReplacement ? 'Update' : 'Create' }
}
