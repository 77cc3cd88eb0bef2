import type { FunctionDefinition } from '../lambda/definition.ts'
import type { AddedResources } from './added-resource.ts'
import type { Assembly } from './assembly.ts'
import type { DeliveryMode } from './delivery.ts'
import type { ResourceEvent, ResourceResponse } from './event.ts'
import type { PhysicalLookup } from './resource.ts'
import type { StackEvent } from './stack-event.ts'
import type { FinalStatus, StackStatus } from './stack-status.ts'
import type { Properties } from './template.ts'

export interface StackOptions {
  readonly name: string
  /** The stack around it, as DescribeStacks says: a resource that a test adds there deploys and removes this one. @default none */
  readonly within?: Stack
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
  /** More resources, by logical id: what a test does while the others are made. @default none */
  readonly others?: AddedResources
  /** Behind all others stands one more resource, and it fails. @default false */
  readonly failLater?: boolean
  /** Beside all others stands one more resource, which fails when this resolves. @default nothing fails meanwhile */
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
  /** What happened to the stack and its resources, oldest first. */
  readonly events: readonly StackEvent[]
}

export interface ContinueOptions {
  /** Logical ids of what could not be rolled back and is left as it is (`ResourcesToSkip`). @default none */
  readonly skip?: readonly string[]
}

export interface RemoveOptions {
  /** Logical ids of what a deletion that failed leaves as it is (`RetainResources`). @default none */
  readonly retain?: readonly string[]
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
  readonly continueUpdateRollback: (options?: ContinueOptions) => Promise<Deployment>
  readonly remove: (options?: RemoveOptions) => Promise<Deployment>
  /** Sends an event once more, as it was. */
  readonly redeliver: (event: ResourceEvent) => Promise<ResourceResponse>
  /** What happened to the stack and its resources so far, oldest first. */
  readonly events: () => readonly StackEvent[]
  /** Every answer of a custom resource so far, oldest first. */
  readonly responses: () => readonly ResourceResponse[]
  /** Waits until no event is in work any more, also of those that CloudFormation no longer waits for. */
  readonly settled: () => Promise<void>
}
