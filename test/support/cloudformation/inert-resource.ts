import { arn } from '../aws.ts'
import type { Change, DesiredResource, PhysicalLookup, ResourceHandler } from './resource.ts'

/** Resources without effect here (roles, networks, buckets): each has a name, an ARN and what the test says. */
export function inertResources(stackName: string, lookup: PhysicalLookup): ResourceHandler {
  const pretend = async (desired: DesiredResource): Promise<Change> => {
    const { ref, attributes } = lookup(desired) ?? {}
    const physicalId = ref ?? `${stackName}-${desired.logicalId}`.toLowerCase()
    return { ok: true, physicalId, attributes: { Arn: arn('test', physicalId), ...attributes } }
  }
  return { create: pretend, update: pretend, remove: pretend }
}
