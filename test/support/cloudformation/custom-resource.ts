import { randomUUID } from 'node:crypto'
import type { Delivery, Manner } from './delivery.ts'
import { stringified, type ResourceEvent, type ResourceResponse } from './event.ts'
import type { Change, DesiredResource, ResourceHandler } from './resource.ts'
import type { ResponseServer } from './response-server.ts'
import type { Properties } from './template.ts'

export interface CustomResourceSettings {
  readonly stackId: () => string
  readonly stackName: string
  readonly delivery: Delivery
  readonly responses: ResponseServer
  /** How the next event is sent. */
  readonly manner: () => Manner
}

/** As in aws-solutions/aws-waf-security-automations issue 114. */
const TOKEN_CHANGED: Change = { ok: false, reason: 'Modifying service token is not allowed.', refused: true }

/** Sends a custom resource's life cycle to its function, as CloudFormation does. */
export function customResources(settings: CustomResourceSettings): ResourceHandler {
  const send = async (
    resource: DesiredResource,
    rest: Pick<ResourceEvent, 'RequestType' | 'OldResourceProperties' | 'PhysicalResourceId'>,
  ): Promise<ResourceResponse> => settings.delivery.send(eventFor(resource, rest, settings), settings.manner())
  return {
    create: async (desired) => {
      const response = await send(desired, { RequestType: 'Create' })
      return changeFrom(response, inventedId(desired, settings))
    },
    update: async (desired, current) => {
      const { physicalId } = current
      if (desired.properties['ServiceToken'] !== current.properties['ServiceToken']) return TOKEN_CHANGED
      const OldResourceProperties = properties(current)
      const response = await send(desired, {
        RequestType: 'Update',
        OldResourceProperties,
        PhysicalResourceId: physicalId,
      })
      return changeFrom(response, physicalId)
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
    ResponseURL: responses.urlFor(stackId(), logicalId, RequestId),
    StackId: stackId(),
    LogicalResourceId: logicalId,
    ResourceType: type,
    ServiceToken: String(resource.properties['ServiceToken']),
    ResourceProperties: properties(resource),
  }
}

function properties(resource: DesiredResource): Properties {
  return stringified(resource.properties) as Properties
}

/**
 * CloudFormation makes up a physical id for a resource whose answer it could not accept or did not wait for, and deletes
 * under that: "Important cases to handle" in the README of aws-cdk-lib/custom-resources.
 */
function inventedId({ logicalId }: DesiredResource, { stackName }: CustomResourceSettings): string {
  return `${stackName}-${logicalId}-${randomUUID().replaceAll('-', '').slice(0, 12).toUpperCase()}`
}

function changeFrom(response: ResourceResponse, fallbackId: string): Change {
  const { status, physicalId = fallbackId, data: attributes, noEcho } = response
  if (status === 'SUCCESS') return { ok: true, physicalId, attributes, noEcho }
  return { ok: false, physicalId, reason: reasonOf(response), cancelled: status === 'CANCELLED' }
}

/** As CloudFormation shows it. What it says of its own accord is shown as it is. */
function reasonOf({ event, status, reason, physicalId }: ResourceResponse): string {
  if (status !== 'FAILED' || physicalId === undefined) return reason
  return `Received response status [FAILED] from custom resource. Message returned: ${reason} (RequestId: ${event.RequestId})`
}
