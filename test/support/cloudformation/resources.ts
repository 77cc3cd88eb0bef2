import type { LambdaService } from '../lambda/service.ts'
import { resolveValue, type Scope } from './intrinsics.ts'
import type { DesiredResource, ResourceHandler, ResourceKind, ResourceState } from './resource.ts'
import { dependenciesOf, type Template, type TemplateResource } from './template.ts'

/** State machines are only names where there is no Step Functions service. */
export type ResourceHandlers = Readonly<Record<Exclude<ResourceKind, 'state-machine'>, ResourceHandler>> &
  Readonly<Partial<Record<'state-machine', ResourceHandler>>>

/** Gives each resource the handler of its kind. */
export interface Resources {
  readonly handlerOf: (resource: DesiredResource) => ResourceHandler
  readonly desired: (logicalId: string, template: Template, scope: Scope) => DesiredResource
}

/** The type of resources that a test adds to a template. */
export const ADDED_TYPE = 'Test::Resource'

export function createResources(handlers: ResourceHandlers, lambda: LambdaService): Resources {
  const kindOf = (type: string, properties: DesiredResource['properties']): ResourceKind => {
    if (type === 'AWS::Lambda::Function') return 'function'
    if (type === 'AWS::StepFunctions::StateMachine') return 'state-machine'
    if (type === ADDED_TYPE) return 'added'
    return isOurs(type, properties, lambda) ? 'custom' : 'inert'
  }
  return {
    handlerOf: ({ kind }) => handlers[kind] ?? handlers.inert,
    desired: (logicalId, template, scope) => {
      const resource = template.Resources[logicalId]
      if (resource === undefined) throw new Error(`The template has no resource ${logicalId}`)
      const { Type: type, Properties: properties = {} } = resource
      const resolved = hasEffect(type) ? (resolveValue(properties, scope) as DesiredResource['properties']) : properties
      const kind = kindOf(type, resolved)
      const dependsOn = dependenciesOf(template, logicalId)
      return { logicalId, type, kind, properties: resolved, dependsOn, ...policiesOf(resource) }
    },
  }
}

/** What a template says of a resource beside its properties holds even where these do not change. */
export function withAttributes(state: ResourceState, template: Template): ResourceState {
  const resource = template.Resources[state.logicalId]
  if (resource === undefined) return state
  const { deletionPolicy: _, updateReplacePolicy: __, ...rest } = state
  return { ...rest, dependsOn: dependenciesOf(template, state.logicalId), ...policiesOf(resource) }
}

function policiesOf(resource: TemplateResource): Pick<DesiredResource, 'deletionPolicy' | 'updateReplacePolicy'> {
  const { DeletionPolicy: deletionPolicy, UpdateReplacePolicy: updateReplacePolicy } = resource
  return {
    ...(deletionPolicy === undefined ? {} : { deletionPolicy }),
    ...(updateReplacePolicy === undefined ? {} : { updateReplacePolicy }),
  }
}

/** The template with those of its resources that its conditions let be. */
export function activeTemplate(template: Template, scope: Scope): Template {
  const active = Object.entries(template.Resources).filter(
    ([, { Condition: condition }]) => condition === undefined || scope.condition(condition) === true,
  )
  return { ...template, Resources: Object.fromEntries(active) }
}

function hasEffect(type: string): boolean {
  return type === 'AWS::Lambda::Function' || type === 'AWS::StepFunctions::StateMachine' || isCustom(type)
}

function isCustom(type: string): boolean {
  return type.startsWith('Custom::') || type === 'AWS::CloudFormation::CustomResource'
}

/** Custom resources of other libraries (emptying a bucket and the like) are only names here. */
function isOurs(type: string, properties: DesiredResource['properties'], lambda: LambdaService): boolean {
  if (!isCustom(type)) return false
  const handler = lambda.definition(String(properties['ServiceToken']))?.handler
  return handler?.startsWith('framework.') === true
}
