import type { Change, DesiredResource, ResourceHandler, ResourceState } from './resource.ts'
import type { Tell } from './stack-event.ts'

/** Changes to single resources: told as events; what goes wrong is a failed change and never an exception. */
export interface Effects {
  readonly create: (desired: DesiredResource) => Promise<Change>
  readonly update: (desired: DesiredResource, current: ResourceState) => Promise<Change>
  readonly remove: (current: ResourceState) => Promise<Change>
  /** A policy keeps it: nothing is done. */
  readonly keep: (current: ResourceState) => void
}

export function createEffects(handlerOf: (resource: DesiredResource) => ResourceHandler, tell: Tell): Effects {
  const perform = async (
    resource: DesiredResource,
    verb: 'CREATE' | 'UPDATE' | 'DELETE',
    work: (handler: ResourceHandler) => Promise<Change>,
  ): Promise<Change> => {
    const { logicalId } = resource
    tell({ logicalId, status: `${verb}_IN_PROGRESS` })
    const change = await work(handlerOf(resource)).catch((error: unknown): Change => ({
      ok: false,
      reason: String(error),
    }))
    tell({
      logicalId,
      ...(change.ok ? { status: `${verb}_COMPLETE` } : { status: `${verb}_FAILED`, reason: change.reason }),
    })
    return change
  }
  return {
    create: (desired) => perform(desired, 'CREATE', (handler) => handler.create(desired)),
    update: (desired, current) => perform(current, 'UPDATE', (handler) => handler.update(desired, current)),
    remove: (current) => perform(current, 'DELETE', (handler) => handler.remove(current)),
    keep: ({ logicalId }) => tell({ logicalId, status: 'DELETE_SKIPPED' }),
  }
}
