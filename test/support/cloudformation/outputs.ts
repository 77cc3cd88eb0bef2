import { resolveValue, type Scope } from './intrinsics.ts'
import type { ResourceState } from './resource.ts'
import type { Properties, Template } from './template.ts'

/** The values of a template's outputs, by name. */
export function outputsOf(template: Template, scope: Scope): Properties {
  const outputs = Object.entries(template.Outputs ?? {}).filter(
    ([, { Condition: condition }]) => condition === undefined || scope.condition(condition) === true,
  )
  return Object.fromEntries(outputs.map(([name, { Value: value }]) => [name, resolveValue(value, scope)]))
}

/** Resources as outputs show them: what an answer with `NoEcho` gave is asterisks (crpg-ref-responses.html). */
export function shown(resources: ReadonlyMap<string, ResourceState>): ReadonlyMap<string, ResourceState> {
  return new Map([...resources].map(([id, state]) => [id, state.noEcho === true ? masked(state) : state]))
}

function masked(state: ResourceState): ResourceState {
  const attributes = Object.fromEntries(Object.keys(state.attributes).map((name) => [name, '*****']))
  return { ...state, attributes }
}
