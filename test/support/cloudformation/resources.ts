import type { LambdaService } from '../lambda/service.ts'
import { resolveValue, type Scope } from './intrinsics.ts'
import type { DesiredResource, ResourceHandler } from './resource.ts'
import { dependenciesOf, type Template, type TemplateResource } from './template.ts'

export interface ResourceHandlers {
  readonly functions: ResourceHandler
  readonly customResources: ResourceHandler
  /** Undefined where there is no Step Functions service: state machines are only names then. */
  readonly stateMachines: ResourceHandler | undefined
  readonly inert: ResourceHandler
}

/** Gives each resource the handler of its kind. */
export interface Resources {
  readonly handlerOf: (resource: DesiredResource) => ResourceHandler
  readonly desired: (logicalId: string, template: Template, scope: Scope) => DesiredResource
}

export function createResources(handlers: ResourceHandlers, lambda: LambdaService): Resources {
  const handlerOfType = (type: string): ResourceHandler | undefined => {
    if (type === 'AWS::Lambda::Function') return handlers.functions
    return type === 'AWS::StepFunctions::StateMachine' ? handlers.stateMachines : undefined
  }
  return {
    handlerOf: (resource) =>
      handlerOfType(resource.type) ?? (isOurs(resource, lambda) ? handlers.customResources : handlers.inert),
    desired: (logicalId, template, scope) => {
      const resource = template.Resources[logicalId]
      if (resource === undefined) throw new Error(`The template has no resource ${logicalId}`)
      const { Type: type, Properties: properties = {} } = resource
      const hasEffect = handlerOfType(type) !== undefined || isCustom(type)
      const resolved = hasEffect ? (resolveValue(properties, scope) as DesiredResource['properties']) : properties
      const dependsOn = dependenciesOf(template, logicalId)
      return { logicalId, type, properties: resolved, dependsOn, ...policiesOf(resource) }
    },
  }
}

function policiesOf(resource: TemplateResource): Pick<DesiredResource, 'deletionPolicy' | 'updateReplacePolicy'> {
  const { DeletionPolicy: deletionPolicy, UpdateReplacePolicy: updateReplacePolicy } = resource
  return {
    ...(deletionPolicy === undefined ? {} : { deletionPolicy }),
    ...(updateReplacePolicy === undefined ? {} : { updateReplacePolicy }),
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
