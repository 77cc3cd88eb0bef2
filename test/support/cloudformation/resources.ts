import type { LambdaService } from '../lambda/service.ts'
import { resolveValue, type Scope } from './intrinsics.ts'
import type { DesiredResource, ResourceHandler } from './resource.ts'
import type { Template, TemplateResource } from './template.ts'

export interface ResourceHandlers {
  readonly functions: ResourceHandler
  readonly customResources: ResourceHandler
  readonly inert: ResourceHandler
}

/** Gives each resource the handler of its kind. */
export interface Resources {
  readonly handlerOf: (resource: DesiredResource) => ResourceHandler
  readonly desired: (logicalId: string, resource: TemplateResource, scope: Scope) => DesiredResource
}

export function createResources(handlers: ResourceHandlers, lambda: LambdaService): Resources {
  return {
    handlerOf: (resource) => {
      if (resource.type === 'AWS::Lambda::Function') return handlers.functions
      return isOurs(resource, lambda) ? handlers.customResources : handlers.inert
    },
    desired: (logicalId, { Type: type, Properties: properties = {} }, scope) => {
      const hasEffect = type === 'AWS::Lambda::Function' || isCustom(type)
      const resolved = hasEffect ? (resolveValue(properties, scope) as DesiredResource['properties']) : properties
      return { logicalId, type, properties: resolved }
    },
  }
}

/** The resources of a template that its conditions let be. */
export function activeResources(template: Template, scope: Scope): Template['Resources'] {
  const active = Object.entries(template.Resources).filter(
    ([, { Condition: condition }]) => condition === undefined || scope.condition(condition) === true,
  )
  return Object.fromEntries(active)
}

function isCustom(type: string): boolean {
  return type.startsWith('Custom::') || type === 'AWS::CloudFormation::CustomResource'
}

/** Custom resources of other libraries (emptying a bucket and the like) are only names here. */
function isOurs({ type, properties }: DesiredResource, lambda: LambdaService): boolean {
  if (!isCustom(type)) return false
  const handler = lambda.definition(String(properties['ServiceToken']))?.handler
  return handler?.startsWith('framework.') === true
}
