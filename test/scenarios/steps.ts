import type { Context } from '../e2e/synthesize.ts'
import type { Assembly } from '../support/cloudformation/assembly.ts'
import type { Deployment, DeployOptions, Stack } from '../support/cloudformation/stack-types.ts'
import type { FinalStatus } from '../support/cloudformation/stack-status.ts'
import { until } from '../support/wait.ts'
import type { Step } from './scenario.ts'
import type { AppInput } from './assemblies.ts'
import type { MigrationSet } from './sets.ts'
import { isMigrating } from './flow.ts'
import type { Stage } from './stage.ts'

/** The stack in which scenarios live unless they have two. */
const STACK = 'Shop'

interface How {
  /** @default 'Shop' */
  readonly stack?: string
  /** How it must end, where that is not the end of the scenario. @default well */
  readonly ends?: FinalStatus
  /** All in its reasons. */
  readonly says?: readonly RegExp[]
}

export interface DeployHow extends How, Omit<DeployOptions, 'failMeanwhile'> {
  /** Context of the app, as `cdk deploy -c` gives it. */
  readonly context?: Context
  /** Seconds after which CloudFormation gives up on the custom resource. @default as the construct says */
  readonly serviceTimeout?: number
  /** The construct has another id in the app, so that its resource has another name in the template. @default false */
  readonly renamed?: boolean
  /** Beside the others stands one more resource, which fails while the slow migration runs. @default false */
  readonly failWhileMigrating?: boolean
}

/** `cdk deploy` of the project's app with a set of migrations. */
export function deploy(migrations: MigrationSet, how: DeployHow = {}): Step {
  return deployApp({ sets: { migrations } }, how)
}

/** `cdk deploy` of any app. */
export function deployApp(input: Omit<AppInput, 'context'>, how: DeployHow = {}): Step {
  const { context, stack = STACK, ends, says, serviceTimeout, renamed = false, ...rest } = how
  const { failWhileMigrating = false, ...options } = rest
  return async (stage) => {
    const synthesized = await stage.assembly({ ...input, context: { stackName: stack, ...context } })
    const timed = serviceTimeout === undefined ? synthesized : withServiceTimeout(synthesized, serviceTimeout)
    const assembly = renamed ? withRenamedResource(timed) : timed
    const meanwhile = failWhileMigrating ? { failMeanwhile: () => until(() => isMigrating(stage)) } : {}
    await act(stage, { stack, ends, says }, (stack) => stack.deploy(assembly, { ...options, ...meanwhile }))
  }
}

function withServiceTimeout({ template, ...rest }: Assembly, seconds: number): Assembly {
  const resources = Object.entries(template.Resources).map(([id, resource]) => {
    if (resource.Type !== 'Custom::DatabaseMigration') return [id, resource] as const
    return [id, { ...resource, Properties: { ...resource.Properties, ServiceTimeout: String(seconds) } }] as const
  })
  return { ...rest, template: { ...template, Resources: Object.fromEntries(resources) } }
}

function withRenamedResource(assembly: Assembly): Assembly {
  const { Resources: resources } = assembly.template
  const [name = ''] = Object.keys(resources).filter((id) => resources[id]?.Type === 'Custom::DatabaseMigration')
  const template = JSON.stringify(assembly.template).replaceAll(`"${name}"`, '"Renamed"')
  return { ...assembly, template: JSON.parse(template) as Assembly['template'] }
}

/** Deploys a stack that has the project's app nested in it, and after that a resource that fails. */
export function failAroundNested(migrations: MigrationSet, how: How = {}): Step {
  return async (stage) => {
    const assembly = await stage.assembly({ sets: { migrations }, context: { stackName: 'Nested' } })
    const template = { Resources: { Queue: { Type: 'AWS::SQS::Queue' } } }
    await act(stage, { stack: 'Around', ...how }, (around) => {
      const nested = stage.stack('Nested', around)
      const create = async (): Promise<void> => void (await nested.deploy(assembly, { rollback: false }))
      const others = {
        Nested: { create, remove: async () => void (await nested.remove()) },
        Later: { dependsOn: ['Nested'], create: () => Promise.reject(new Error('A later resource failed.')) },
      }
      return around.deploy({ stackName: 'Around', template, assets: new Map() }, { others })
    })
  }
}

/** Deploys the stack with all but its migrations. */
export function deployWithout(how: How = {}): Step {
  const assembly = {
    stackName: STACK,
    template: { Resources: { Queue: { Type: 'AWS::SQS::Queue' } } },
    assets: new Map(),
  }
  return (stage) => act(stage, how, (stack) => stack.deploy(assembly))
}

/** Deploys another stack, which needs the database of the first to have a migration. */
export function deployApplication(migration: string, how: How = {}): Step {
  return async (stage) => {
    const { outputs = {} } = stage.deployments[0] ?? {}
    const Properties = { ServiceToken: outputs['ServiceToken'], require: migration, set: 'default' }
    const template = { Resources: { Schema: { Type: 'Custom::DatabaseRequirement', Properties } } }
    const assembly = { stackName: 'Application', template, assets: new Map() }
    await act(stage, { stack: 'Application', ...how }, (stack) => stack.deploy(assembly))
  }
}

export function removeStack(how: How = {}): Step {
  return (stage) => act(stage, how, (stack) => stack.remove())
}

/** ContinueUpdateRollback. */
export function continueUpdateRollback(how: How & { readonly skipFailed?: boolean } = {}): Step {
  const { skipFailed = false, ...rest } = how
  return (stage) => {
    const skip = skipFailed ? notRolledBack(stage, how) : []
    return act(stage, rest, (stack) => stack.continueUpdateRollback({ skip }))
  }
}

/** Resources whose last event says that they could not be rolled back. */
function notRolledBack({ stack }: Stage, { stack: name = STACK }: How): readonly string[] {
  const last = new Map(
    stack(name)
      .events()
      .map((event) => [event.logicalId, event]),
  )
  const failed = [...last.values()].filter(({ status }) => status === 'UPDATE_FAILED')
  return failed.filter(({ reason }) => reason !== 'Resource update cancelled').map(({ logicalId }) => logicalId)
}

/** RollbackStack, of what failed without rollback. */
export function rollBackStack(how: How = {}): Step {
  return (stage) => act(stage, how, (stack) => stack.rollback())
}

/** Stops what the stack is doing: DeleteStack while it is made, CancelUpdateStack later. */
export const cancel: Step = async ({ stack }) => stack(STACK).cancel()

/** An event that was answered long ago arrives once more. */
export function redeliver(number: number): Step {
  return async ({ stack, problems }) => {
    const first = stack(STACK).responses()[number]
    if (first === undefined) return
    const again = await stack(STACK).redeliver(first.event)
    const [before, after] = [first, again].map(({ status, data, reason }) => JSON.stringify({ status, data, reason }))
    if (before !== after) problems.push(`an event that arrived again got ${after} in place of ${before}`)
  }
}

async function act(stage: Stage, how: Optional<How>, work: (stack: Stack) => Promise<Deployment>): Promise<void> {
  const deployment = await work(stage.stack(how.stack ?? STACK))
  stage.deployments.push(deployment)
  const reasons = reasonsOf(deployment)
  if (how.ends !== undefined && deployment.stackStatus !== how.ends) {
    stage.problems.push(`a deployment on the way ended ${deployment.stackStatus} in place of ${how.ends}: ${reasons}`)
  }
  for (const text of how.says ?? []) {
    if (!text.test(reasons)) stage.problems.push(`a deployment on the way did not say ${String(text)}: ${reasons}`)
  }
}

type Optional<T> = { readonly [K in keyof T]?: T[K] | undefined }

/** Everything that CloudFormation was told of a deployment. */
export function reasonsOf({ reason, responses }: Deployment): string {
  const failures = responses.filter(({ status }) => status !== 'SUCCESS').map((response) => response.reason)
  // The reason of the deployment begins with the name of the resource and goes on with its answer.
  const others = failures.filter((text) => reason?.includes(text) !== true)
  return [...(reason === undefined ? [] : [reason]), ...new Set(others)].join('\n')
}
