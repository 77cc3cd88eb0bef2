import { AWS } from '../aws.ts'
import { NO_VALUE, resolveValue, type Scope } from './intrinsics.ts'
import type { ResourceState } from './resource.ts'
import type { Template } from './template.ts'

export interface ScopeInput {
  readonly template: Template
  readonly stackName: string
  readonly stackId: string
  readonly parameters: Readonly<Record<string, string>>
  readonly imports: Readonly<Record<string, string>>
  readonly resources: ReadonlyMap<string, Pick<ResourceState, 'physicalId' | 'attributes' | 'kind'>>
}

/** Resolves a template's names against the resources that stand. */
export function scopeOf(input: ScopeInput): Scope {
  const { template, resources } = input
  const pseudoParameters = pseudoParametersOf(input)
  const scope: Scope = {
    reference: (name) => {
      return pseudoParameters[name] ?? resources.get(name)?.physicalId ?? parameterOf(input, name) ?? missing(name)
    },
    attribute: (logicalId, attribute) => {
      const { attributes, kind, physicalId } = resources.get(logicalId) ?? missing(logicalId)
      const value = attributes[attribute]
      if (value === undefined && kind === 'custom') throw new Error(lackingAttribute(attribute, physicalId))
      // What no test gave a value is named after itself, so that it is recognised where it should not be.
      return value ?? `${logicalId}.${attribute}`
    },
    condition: (name) => resolveValue(template.Conditions?.[name] ?? missing(name), scope),
    mapping: (map, key, name) => template.Mappings?.[map]?.[key]?.[name] ?? missing(`${map}.${key}.${name}`),
    importedValue: (name) => input.imports[name] ?? missing(name),
  }
  return scope
}

/** CloudFormation's words. It does not look into objects within the Data: the name is looked up as it is. */
function lackingAttribute(attribute: string, physicalId: string): string {
  return `CustomResource attribute error: Vendor response doesn't contain ${attribute} attribute in object ${physicalId}`
}

function parameterOf({ template, parameters }: ScopeInput, name: string): string | readonly string[] | undefined {
  const { Type: type = 'String', Default: byDefault } = template.Parameters?.[name] ?? {}
  const value = parameters[name] ?? byDefault
  return type === 'CommaDelimitedList' || type.startsWith('List<') ? value?.split(',') : value
}

function pseudoParametersOf({ stackName, stackId }: ScopeInput): Readonly<Record<string, unknown>> {
  return {
    'AWS::AccountId': AWS.account,
    'AWS::Region': AWS.region,
    'AWS::Partition': AWS.partition,
    'AWS::URLSuffix': 'amazonaws.com',
    'AWS::StackName': stackName,
    'AWS::StackId': stackId,
    'AWS::NoValue': NO_VALUE,
  }
}

function missing(name: string): never {
  throw new Error(`The template refers to ${name}, which has no value`)
}
