import type { LambdaService } from '../lambda/service.ts'
import type { StepFunctions } from '../step-functions/service.ts'
import { customResources } from './custom-resource.ts'
import { createDelivery, type Manner } from './delivery.ts'
import type { ResourceEvent } from './event.ts'
import { functionResources } from './function-resource.ts'
import { inertResources } from './inert-resource.ts'
import { createResources } from './resources.ts'
import type { ResponseServer } from './response-server.ts'
import type { StackDescription } from './stack-description.ts'
import { StackEngine } from './stack-engine.ts'
import type { Stack, StackOptions } from './stack-types.ts'
import { stateMachineResources } from './state-machine-resource.ts'

/** What stacks share. */
export interface StackServices {
  readonly lambda: LambdaService
  readonly responses: ResponseServer
  readonly stepFunctions: StepFunctions | undefined
}

export interface CreatedStack {
  readonly stack: Stack
  /** The stack as it is, and those of its name that were deleted. */
  readonly describe: () => readonly StackDescription[]
}

/** Makes a stack without resources. Deployments of one stack are made one after the other. */
export function createStack(options: StackOptions, services: StackServices): CreatedStack {
  const { lambda, responses, stepFunctions } = services
  const { name: stackName, adjust = (definition) => definition, physical = () => undefined } = options
  const assets = new Map<string, string>()
  const othersSettled = async ({ RequestId: id }: ResourceEvent): Promise<void> =>
    stepFunctions?.settled((input) => (input as Partial<ResourceEvent> | null)?.RequestId === id)
  const delivery = createDelivery({ lambda, server: responses, othersSettled })
  const stackId = (): string => engine.id
  const manner = (): Manner => engine.manner
  const handlers = {
    functions: functionResources({ stackName, lambda, assets, responseEndpoint: responses.endpoint, adjust }),
    customResources: customResources({ stackId, stackName, delivery, responses, manner }),
    stateMachines: stepFunctions === undefined ? undefined : stateMachineResources(stackName, stepFunctions),
    inert: inertResources(stackName, physical),
  }
  const engine = new StackEngine({ options, assets, delivery, resources: createResources(handlers, lambda) })
  const stack: Stack = {
    get id() {
      return engine.id
    },
    status: () => engine.status,
    deploy: (assembly, deployOptions = {}) => engine.deploy(assembly, deployOptions),
    cancel: () => engine.cancel(),
    rollback: () => engine.rollback(),
    continueUpdateRollback: () => engine.continueUpdateRollback(),
    remove: () => engine.remove(),
    redeliver: (event) => delivery.send(event),
    responses: delivery.responses,
    settled: delivery.settled,
  }
  return { stack, describe: () => engine.describe() }
}
