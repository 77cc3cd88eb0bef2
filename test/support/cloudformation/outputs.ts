import { resolveValue, type Scope } from './intrinsics.ts'
import type { Properties, Template } from './template.ts'

/** The values of a template's outputs, by name. */
export function outputsOf(template: Template, scope: Scope): Properties {
  const outputs = Object.entries(template.Outputs ?? {}).filter(
    ([, { Condition: condition }]) => condition === undefined || scope.condition(condition) === true,
  )
  return Object.fromEntries(outputs.map(([name, { Value: value }]) => [name, resolveValue(value, scope)]))
}
