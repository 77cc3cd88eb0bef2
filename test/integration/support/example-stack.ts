import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Assembly } from '../../support/cloudformation/assembly.ts'
import type { ResourceEvent } from '../../support/cloudformation/event.ts'
import { startCloudFormation, type CloudFormation } from '../../support/cloudformation/service.ts'
import type { Deployment, Stack, StackOptions } from '../../support/cloudformation/stack-types.ts'
import type { TemplateResource } from '../../support/cloudformation/template.ts'
import { startLambda, type LambdaService } from '../../support/lambda/service.ts'
import { writeFiles } from '../../support/source-files.ts'
import type { exampleAssembly } from './example-assembly.ts'

export interface ExampleStack {
  readonly stack: Stack
  readonly lambda: LambdaService
  readonly cloudFormation: CloudFormation
  /** The events that reached the function behind the framework and were answered, oldest first. */
  readonly received: () => readonly ResourceEvent[]
}

/** A CloudFormation with one stack for the example assembly, of which nothing is deployed yet. */
export async function exampleStack(options: Partial<StackOptions> = {}): Promise<ExampleStack> {
  const lambda = await startLambda()
  const name = 'Example'
  const cloudFormation = await startCloudFormation(lambda)
  const stack = cloudFormation.createStack({
    name,
    physical: ({ type }) => (type === 'AWS::S3::Bucket' ? { ref: 'real-bucket' } : undefined),
    ...options,
  })
  onTestFinished(async () => {
    await lambda.stop()
    await cloudFormation.stop()
  })
  const received = (): readonly ResourceEvent[] =>
    lambda
      .invocations()
      .filter(({ functionName }) => !functionName.includes('framework'))
      .map(({ event }) => JSON.parse(event) as ResourceEvent)
  return { stack, lambda, cloudFormation, received }
}

/** Does what the properties say: `outcome` is succeed, throw, hang or long. */
export const BODY = `
  const { outcome, seconds } = event.ResourceProperties
  console.log(event.RequestType + ' on ' + VERSION + ' for ' + event.ResourceProperties.target)
  if (outcome === 'throw') throw new Error('no: ' + event.ResourceProperties.target)
  if (outcome === 'hang') await new Promise(() => {})
  const padding = outcome === 'long' && event.RequestType === 'Create' ? 'x'.repeat(5000) : ''
  return { PhysicalResourceId: event.PhysicalResourceId ?? 'example', Data: { padding, seconds } }
`

export const v1 = (properties: object = {}): Parameters<typeof exampleAssembly>[0] => ({
  body: BODY,
  version: 'v1',
  properties: { target: 'one', outcome: 'succeed', ...properties },
})

export const v2 = (properties: object = {}): Parameters<typeof exampleAssembly>[0] => ({
  body: BODY,
  version: 'v2',
  properties: { target: 'two', outcome: 'succeed', ...properties },
})

/** The assembly without its outputs, and with its custom resource as `change` makes it: other, more of it, or none. */
export function withResource(
  { template, ...rest }: Assembly,
  change: (resource: TemplateResource) => Readonly<Record<string, TemplateResource>>,
): Assembly {
  const { Resource: resource, ...others } = template.Resources
  if (resource === undefined) throw new Error('The template has no custom resource')
  const { Outputs: _outputs, ...withoutOutputs } = template
  return { ...rest, template: { ...withoutOutputs, Resources: { ...others, ...change(resource) } } }
}

/** What a deployment asked and got, such as `Update SUCCESS`. */
export function story(deployment: Deployment): readonly string[] {
  return deployment.responses.map(({ event, status }) => `${event.RequestType} ${status}`)
}

/** What the example function said, such as `Update on v2 for two`. */
export async function linesOf(lambda: LambdaService): Promise<readonly string[]> {
  return [...(await lambda.logs()).matchAll(/^(?:Create|Update|Delete) on .*$/gm)].map(([line]) => line)
}

/** A file that holds a function up for as long as it is there: `body` waits for its removal. */
export async function gate(): Promise<{ readonly file: string; readonly body: string }> {
  const file = join(await writeFiles({ closed: '' }), 'closed')
  const body = `
    const { existsSync } = await import('node:fs')
    while (existsSync('${file}')) await new Promise((resolve) => setTimeout(resolve, 20))
  `
  return { file, body }
}
