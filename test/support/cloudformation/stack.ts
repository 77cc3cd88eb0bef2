import type { LambdaService } from '../lambda/service.ts'
import type { StepFunctions } from '../step-functions/service.ts'
import { addedResourceHandler } from './added-resource.ts'
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
  const stackId = (): string => engine.record.id
  const manner = (): Manner => engine.manner
  const handlers = {
    function: functionResources({ stackName, lambda, assets, responseEndpoint: responses.endpoint, adjust }),
    custom: customResources({ stackId, stackName, delivery, responses, manner }),
    ...(stepFunctions === undefined ? {} : { 'state-machine': stateMachineResources(stackName, stepFunctions) }),
    added: addedResourceHandler(() => engine.added, manner),
    inert: inertResources(stackName, physical),
  }
  const engine = new StackEngine({ options, assets, delivery, resources: createResources(handlers, lambda) })
  const stack: Stack = {
    get id() {
      return engine.record.id
    },
    status: () => engine.record.status,
    deploy: (assembly, deployOptions = {}) => engine.deploy(assembly, deployOptions),
    cancel: () => engine.cancel(),
    rollback: () => engine.rollback(),
    continueUpdateRollback: (continueOptions = {}) => engine.continueUpdateRollback(continueOptions),
    remove: (removeOptions = {}) => engine.remove(removeOptions),
    redeliver: (event) => delivery.send(event),
    events: () => engine.record.events,
    responses: delivery.responses,
    settled: delivery.settled,
  }
  return { stack, describe: () => engine.record.describe() }
}
