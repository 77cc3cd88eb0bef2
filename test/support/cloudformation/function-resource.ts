import { fileURLToPath } from 'node:url'
import { functionArn, type FunctionDefinition, type RuntimeAdditions } from '../lambda/definition.ts'
import type { LambdaService } from '../lambda/service.ts'
import type { Change, DesiredResource, ResourceHandler } from './resource.ts'

export interface FunctionResourceSettings {
  readonly stackName: string
  readonly lambda: LambdaService
  /** Directories of uploaded code, by object key; of older deployments too, since a rollback needs them. */
  readonly assets: ReadonlyMap<string, string>
  /** Where the Provider framework's answers to CloudFormation are taken. */
  readonly responseEndpoint: string
  /** Last word on what is deployed, such as a shorter time-out. */
  readonly adjust: (definition: FunctionDefinition) => FunctionDefinition
}

interface FunctionProperties {
  readonly FunctionName?: string
  readonly Runtime?: string
  readonly Handler?: string
  readonly Code?: { readonly S3Key?: string }
  readonly Environment?: { readonly Variables?: Readonly<Record<string, string>> }
  readonly Timeout?: number
  readonly MemorySize?: number
}

/** Deploys a template's Node.js functions; other functions are only names. */
export function functionResources(settings: FunctionResourceSettings): ResourceHandler {
  const apply = async (desired: DesiredResource): Promise<Change> => {
    const definition = definitionOf(desired, settings)
    if (definition !== null) await settings.lambda.deploy(settings.adjust(definition))
    const name = nameOf(desired, settings.stackName)
    return { ok: true, physicalId: name, attributes: { Arn: functionArn(name) } }
  }
  return {
    create: apply,
    update: apply,
    remove: async ({ physicalId, attributes }) => {
      await settings.lambda.remove(physicalId)
      return { ok: true, physicalId, attributes }
    },
  }
}

function definitionOf(desired: DesiredResource, settings: FunctionResourceSettings): FunctionDefinition | null {
  const properties = desired.properties as FunctionProperties
  const code = settings.assets.get(properties.Code?.S3Key ?? '')
  if (code === undefined || !(properties.Runtime ?? '').startsWith('nodejs')) return null
  const handler = properties.Handler ?? 'index.handler'
  return {
    name: nameOf(desired, settings.stackName),
    code,
    handler,
    environment: properties.Environment?.Variables ?? {},
    timeoutSeconds: properties.Timeout ?? 3,
    memoryMb: properties.MemorySize ?? 128,
    ...(handler.startsWith('framework.') ? { runtime: frameworkRuntime(settings.responseEndpoint) } : {}),
  }
}

function nameOf(desired: DesiredResource, stackName: string): string {
  return (desired.properties as FunctionProperties).FunctionName ?? `${stackName}-${desired.logicalId}`.slice(0, 64)
}

/** The framework's code uses the SDK of Lambda's runtime, and answers over HTTPS on port 443. */
function frameworkRuntime(responseEndpoint: string): RuntimeAdditions {
  return {
    nodePath: fileURLToPath(new URL('../../../node_modules', import.meta.url)),
    preload: [fileURLToPath(new URL('redirect-responses.cjs', import.meta.url))],
    environment: { TEST_RESPONSE_ENDPOINT: responseEndpoint },
  }
}
