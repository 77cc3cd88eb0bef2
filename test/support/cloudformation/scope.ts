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
  readonly resources: ReadonlyMap<string, Pick<ResourceState, 'physicalId' | 'attributes'>>
}

/** Resolves a template's names against the resources that stand. */
export function scopeOf(input: ScopeInput): Scope {
  const { template, resources } = input
  const pseudoParameters = pseudoParametersOf(input)
  const scope: Scope = {
    reference: (name) => {
      const parameter = input.parameters[name] ?? template.Parameters?.[name]?.Default
      return pseudoParameters[name] ?? resources.get(name)?.physicalId ?? parameter ?? missing(name)
    },
    attribute: (logicalId, attribute) => {
      const resource = resources.get(logicalId) ?? missing(logicalId)
      // What no test gave a value is named after itself, so that it is recognised where it should not be.
      return resource.attributes[attribute] ?? nested(resource.attributes, attribute) ?? `${logicalId}.${attribute}`
    },
    condition: (name) => resolveValue(template.Conditions?.[name], scope),
    mapping: (map, key, name) => template.Mappings?.[map]?.[key]?.[name] ?? missing(`${map}.${key}.${name}`),
    importedValue: (name) => input.imports[name] ?? missing(name),
  }
  return scope
}

/** `Outputs.Name` of a custom resource's Data may also be an object within an object. */
function nested(attributes: Readonly<Record<string, unknown>>, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], attributes)
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
