import { randomUUID } from 'node:crypto'
import type { Delivery, DeliveryMode } from './delivery.ts'
import { stringified, type ResourceEvent, type ResourceResponse } from './event.ts'
import type { Change, DesiredResource, ResourceHandler } from './resource.ts'
import type { ResponseServer } from './response-server.ts'
import type { Properties } from './template.ts'

export interface CustomResourceSettings {
  readonly stackId: string
  readonly stackName: string
  readonly delivery: Delivery
  readonly responses: ResponseServer
  /** How the next event is delivered. */
  readonly mode: () => DeliveryMode
}

/** Sends a custom resource's life cycle to its function, as CloudFormation does. */
export function customResources(settings: CustomResourceSettings): ResourceHandler {
  const send = async (
    resource: DesiredResource,
    rest: Pick<ResourceEvent, 'RequestType' | 'OldResourceProperties' | 'PhysicalResourceId'>,
  ): Promise<ResourceResponse> => settings.delivery.send(eventFor(resource, rest, settings), settings.mode())
  return {
    create: async (desired) => {
      const response = await send(desired, { RequestType: 'Create' })
      return changeFrom(response, `${settings.stackName}-${desired.logicalId}-${randomUUID().slice(0, 12)}`)
    },
    update: async (desired, current) => {
      const { physicalId } = current
      const OldResourceProperties = properties(current)
      const response = await send(desired, {
        RequestType: 'Update',
        OldResourceProperties,
        PhysicalResourceId: physicalId,
      })
      // A failed update replaces nothing, whatever id its answer holds.
      return changeFrom(response.status === 'SUCCESS' ? response : { ...response, physicalId }, physicalId)
    },
    remove: async (current) => {
      const response = await send(current, { RequestType: 'Delete', PhysicalResourceId: current.physicalId })
      return changeFrom(response, current.physicalId)
    },
  }
}

function eventFor(
  resource: DesiredResource,
  rest: Pick<ResourceEvent, 'RequestType' | 'OldResourceProperties' | 'PhysicalResourceId'>,
  { stackId, responses }: CustomResourceSettings,
): ResourceEvent {
  const { logicalId, type } = resource
  const RequestId = randomUUID()
  return {
    ...rest,
    RequestId,
    ResponseURL: responses.urlFor(stackId, logicalId, RequestId),
    StackId: stackId,
    LogicalResourceId: logicalId,
    ResourceType: type,
    ServiceToken: String(resource.properties['ServiceToken']),
    ResourceProperties: properties(resource),
  }
}

function properties(resource: DesiredResource): Properties {
  return stringified(resource.properties) as Properties
}

/** CloudFormation makes up a physical id for a resource whose answer it could not accept, and deletes under that. */
function changeFrom(response: ResourceResponse, fallbackId: string): Change {
  const physicalId = response.physicalId ?? fallbackId
  if (response.status === 'SUCCESS') return { ok: true, physicalId, attributes: response.data }
  return { ok: false, physicalId, reason: response.reason }
}
