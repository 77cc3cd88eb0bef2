import { once } from 'node:events'
import type { Manner } from './delivery.ts'
import { messageOf } from './operation.ts'
import type { Change, ResourceHandler } from './resource.ts'
import { ADDED_TYPE } from './resources.ts'
import type { DeployOptions } from './stack-types.ts'
import type { Template } from './template.ts'

/** A resource that a test adds to a template: made when `create` resolves, failed when it rejects. */
export interface AddedResource {
  /** Logical ids, or `everything` that the template has. @default nothing: it begins at once */
  readonly dependsOn?: readonly string[] | 'everything'
  readonly create: () => Promise<void>
  /** @default nothing is to be done */
  readonly remove?: () => Promise<void>
}

export type AddedResources = Readonly<Record<string, AddedResource>>

/** All that a deployment adds. The two failures are the ones that most tests want. */
export function addedResources({ failLater = false, failMeanwhile, others = {} }: DeployOptions): AddedResources {
  const later: AddedResource = {
    dependsOn: 'everything',
    create: () => Promise.reject(new Error('A later resource failed.')),
  }
  const sibling: AddedResource = {
    create: async () => {
      await failMeanwhile?.()
      throw new Error('A sibling resource failed.')
    },
  }
  return {
    ...others,
    ...(failMeanwhile === undefined ? {} : { FailsMeanwhile: sibling }),
    ...(failLater ? { FailsLater: later } : {}),
  }
}

/** The template with more resources. */
export function withResources(template: Template, added: AddedResources): Template {
  const everything = Object.keys(template.Resources)
  const more = Object.entries(added).map(([id, { dependsOn = [] }]) => {
    return [id, { Type: ADDED_TYPE, DependsOn: dependsOn === 'everything' ? everything : dependsOn }] as const
  })
  return { ...template, Resources: { ...template.Resources, ...Object.fromEntries(more) } }
}

/** Makes what the deployment that runs has added; the operation that ends does not wait for it. */
export function addedResourceHandler(added: () => AddedResources, manner: () => Manner): ResourceHandler {
  const removals = new Map<string, () => Promise<void>>()
  const create = async (logicalId: string): Promise<Change> => {
    try {
      const resource = added()[logicalId]
      if (resource?.remove !== undefined) removals.set(logicalId, resource.remove)
      await resource?.create()
      return made(logicalId)
    } catch (error) {
      return { ok: false, reason: messageOf(error) }
    }
  }
  return {
    create: ({ logicalId }) => Promise.race([create(logicalId), cancelledBy(manner().signal)]),
    update: async ({ logicalId }) => made(logicalId),
    remove: async ({ logicalId }) => {
      await removals.get(logicalId)?.()
      return made(logicalId)
    },
  }
}

async function cancelledBy(signal = new AbortController().signal): Promise<Change> {
  if (!signal.aborted) await once(signal, 'abort')
  return { ok: false, reason: 'Resource creation cancelled', cancelled: true }
}

function made(logicalId: string): Change {
  return { ok: true, physicalId: logicalId, attributes: {} }
}
