import type { StepFunctions } from '../step-functions/service.ts'
import type { Change, DesiredResource, ResourceHandler } from './resource.ts'

/** Creates a template's state machines. `Ref` gives the ARN. */
export function stateMachineResources(stackName: string, stepFunctions: StepFunctions): ResourceHandler {
  const put = async (desired: DesiredResource): Promise<Change> => {
    const given = desired.properties['StateMachineName']
    const name = typeof given === 'string' ? given : `${stackName}-${desired.logicalId}`.slice(0, 80)
    try {
      const physicalId = stepFunctions.put(name, String(desired.properties['DefinitionString']))
      return { ok: true, physicalId, attributes: { Arn: physicalId, Name: name } }
    } catch (error) {
      return { ok: false, reason: String(error) }
    }
  }
  return {
    create: put,
    update: put,
    remove: async ({ physicalId, attributes }) => {
      stepFunctions.remove(physicalId)
      return { ok: true, physicalId, attributes }
    },
  }
}
