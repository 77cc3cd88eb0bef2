import { App, CustomResource, Duration, Stack } from 'aws-cdk-lib'
import { Code, Function, Runtime } from 'aws-cdk-lib/aws-lambda'
import { Bucket } from 'aws-cdk-lib/aws-s3'
import { Provider } from 'aws-cdk-lib/custom-resources'
import { readAssembly, type Assembly } from '../../support/cloudformation/assembly.ts'
import { writeFiles } from '../../support/source-files.ts'

export interface ExampleInput {
  /** Body of `handler(event)`, in which `VERSION` is the version below. The answer's Data always holds it. */
  readonly body: string
  readonly version: string
  readonly properties: Readonly<Record<string, unknown>>
  /** Leave the custom resource out. @default false */
  readonly withoutResource?: boolean
}

/** A stack with a bucket, a function, the Provider framework in front of it, and one custom resource. */
export async function exampleAssembly(input: ExampleInput): Promise<Assembly> {
  const source = `
    const VERSION = '${input.version}'
    async function answer(event) { ${input.body} }
    export async function handler(event) {
      const given = await answer(event)
      return { ...given, Data: { version: VERSION, ...given?.Data } }
    }
  `
  const code = Code.fromAsset(await writeFiles({ 'index.mjs': source }))
  const outdir = await writeFiles({})
  const app = new App({ outdir, analyticsReporting: false })
  const stack = new Stack(app, 'Example')
  const environment = { BUCKET_NAME: new Bucket(stack, 'Bucket').bucketName, AT: `${stack.region}/${stack.stackName}` }
  const runtime = Runtime.NODEJS_24_X
  const onEventHandler = new Function(stack, 'Function', {
    code,
    runtime,
    handler: 'index.handler',
    environment,
    timeout: Duration.minutes(1),
  })
  const { serviceToken } = new Provider(stack, 'Provider', { onEventHandler })
  if (!input.withoutResource) {
    const { properties } = input
    const resource = new CustomResource(stack, 'Resource', {
      serviceToken,
      resourceType: 'Custom::Example',
      properties,
    })
    stack.exportValue(resource.getAtt('version'), { name: 'Version' })
  }
  app.synth()
  return readAssembly(outdir)
}
