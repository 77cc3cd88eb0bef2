import type { FunctionDefinition } from '../lambda/definition.ts'
import type { Assembly } from './assembly.ts'
import type { DeliveryMode } from './delivery.ts'
import type { ResourceEvent, ResourceResponse } from './event.ts'
import type { PhysicalLookup } from './resource.ts'
import type { Properties } from './template.ts'

export type StackStatus =
  | 'CREATE_COMPLETE'
  | 'ROLLBACK_COMPLETE'
  | 'ROLLBACK_FAILED'
  | 'UPDATE_COMPLETE'
  | 'UPDATE_ROLLBACK_COMPLETE'
  | 'UPDATE_ROLLBACK_FAILED'
  | 'DELETE_COMPLETE'
  | 'DELETE_FAILED'

export interface StackOptions {
  readonly name: string
  /** Real values for pretended resources. @default none: names are made up */
  readonly physical?: PhysicalLookup
  /** Last word on each function before it is deployed. @default as in the template */
  readonly adjust?: (definition: FunctionDefinition) => FunctionDefinition
  /** @default the template's defaults */
  readonly parameters?: Readonly<Record<string, string>>
  /** Values of other stacks' exports. @default none */
  readonly imports?: Readonly<Record<string, string>>
}

export interface DeployOptions {
  /** Behind all others stands one more resource, and it fails. @default false */
  readonly failLater?: boolean
  /** How the custom resource's event reaches the function. Rollbacks deliver once. @default 'once' */
  readonly delivery?: DeliveryMode
}

export interface Deployment {
  readonly stackStatus: StackStatus
  /** Why the deployment failed; undefined when it did not. */
  readonly reason: string | undefined
  /** What this deployment, its rollback included, asked of custom resources, and the answers. */
  readonly responses: readonly ResourceResponse[]
  readonly outputs: Properties
}

/** A CloudFormation stack whose functions and custom resources are real. */
export interface Stack {
  readonly id: string
  /** Creates or updates the stack; rolls back by itself when a resource fails. */
  readonly deploy: (assembly: Assembly, options?: DeployOptions) => Promise<Deployment>
  /** Tries again what a failed rollback could not do. */
  readonly continueUpdateRollback: () => Promise<Deployment>
  readonly remove: () => Promise<Deployment>
  /** Sends an event once more, as it was. */
  readonly redeliver: (event: ResourceEvent) => Promise<ResourceResponse>
  /** Every answer of a custom resource so far, oldest first. */
  readonly responses: () => readonly ResourceResponse[]
}
