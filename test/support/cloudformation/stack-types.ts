import type { FunctionDefinition } from '../lambda/definition.ts'
import type { Assembly } from './assembly.ts'
import type { DeliveryMode } from './delivery.ts'
import type { ResourceEvent, ResourceResponse } from './event.ts'
import type { PhysicalLookup } from './resource.ts'
import type { FinalStatus, StackStatus } from './stack-status.ts'
import type { Properties } from './template.ts'

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
  /**
   * Beside all others stands one more resource, which fails when this resolves. CloudFormation does not wait for what
   * is then still in work ("Resource creation cancelled", "Resource update cancelled"): aws-cdk issue 26139 and
   * "Important cases to handle" in the README of aws-cdk-lib/custom-resources.
   *
   * @default nothing fails meanwhile
   */
  readonly failMeanwhile?: () => Promise<void>
  /** How the custom resource's event reaches the function. Rollbacks deliver once. @default 'once' */
  readonly delivery?: DeliveryMode
  /**
   * What a failure takes back. `false` is `cdk deploy --no-rollback`: all stays as it is. `failed-resource` is the same,
   * but the failed resource gets its last stable properties back at once, as the user guide says of updates
   * (stack-failure-options.html).
   *
   * @default true
   */
  readonly rollback?: boolean | 'failed-resource'
}

export interface Deployment {
  readonly stackStatus: FinalStatus
  /** Why the deployment failed; undefined when it did not. */
  readonly reason: string | undefined
  /** What this deployment, its rollback included, asked of custom resources, and the answers. */
  readonly responses: readonly ResourceResponse[]
  readonly outputs: Properties
}

/** A CloudFormation stack whose functions and custom resources are real. */
export interface Stack {
  /** A stack that is made again after its deletion has another one. */
  readonly id: string
  /** As DescribeStacks says it; null before the first deployment. */
  readonly status: () => StackStatus | null
  /**
   * Creates or updates the stack; rolls back by itself when a resource fails. Does first what `cdk deploy` does: a stack
   * that failed without rollback is rolled back unless this deployment is without rollback too, and a stack whose
   * creation was rolled back is deleted.
   */
  readonly deploy: (assembly: Assembly, options?: DeployOptions) => Promise<Deployment>
  /**
   * Stops the deployment that runs, whatever a custom resource still does: an update by CancelUpdateStack, a creation by
   * DeleteStack. The promise of `deploy` gives the end.
   */
  readonly cancel: () => void
  /** RollbackStack: what failed without rollback goes back to the last good template, or away if there is none. */
  readonly rollback: () => Promise<Deployment>
  /** Tries again what a failed rollback could not do. */
  readonly continueUpdateRollback: () => Promise<Deployment>
  readonly remove: () => Promise<Deployment>
  /** Sends an event once more, as it was. */
  readonly redeliver: (event: ResourceEvent) => Promise<ResourceResponse>
  /** Every answer of a custom resource so far, oldest first. */
  readonly responses: () => readonly ResourceResponse[]
  /** Waits until no event is in work any more, also of those that CloudFormation no longer waits for. */
  readonly settled: () => Promise<void>
}
