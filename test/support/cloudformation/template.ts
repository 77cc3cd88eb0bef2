import type { Graph } from './schedule.ts'

/** A template as far as the stack engine reads it. */
export interface Template {
  readonly Resources: Readonly<Record<string, TemplateResource>>
  readonly Parameters?: Readonly<Record<string, { readonly Type?: string; readonly Default?: string }>>
  readonly Conditions?: Readonly<Record<string, unknown>>
  readonly Mappings?: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>>
  readonly Outputs?: Readonly<Record<string, { readonly Value: unknown; readonly Condition?: string }>>
}

export interface TemplateResource {
  readonly Type: string
  readonly Properties?: Properties
  readonly DependsOn?: string | readonly string[]
  readonly DeletionPolicy?: string
  readonly UpdateReplacePolicy?: string
  readonly Condition?: string
}

export type Properties = Readonly<Record<string, unknown>>

/** What each resource refers to or depends on. */
export function dependencyGraph({ Resources: resources }: Template): Graph {
  return new Map(Object.keys(resources).map((id) => [id, directDependencies(resources, id)]))
}

/** Logical ids of everything that a resource needs, directly or not. */
export function dependenciesOf({ Resources: resources }: Template, logicalId: string): ReadonlySet<string> {
  const all = new Set<string>()
  const visit = (id: string): void => {
    for (const next of directDependencies(resources, id)) {
      if (all.has(next)) continue
      all.add(next)
      visit(next)
    }
  }
  visit(logicalId)
  return all
}

function directDependencies(resources: Template['Resources'], logicalId: string): ReadonlySet<string> {
  return new Set(namedBy(resources[logicalId]).filter((id) => id in resources))
}

/** What resources name, though the template does not have it. */
export function unresolvedNames({ Resources: resources, Parameters: parameters = {} }: Template): readonly string[] {
  const names = new Set(Object.values(resources).flatMap(namedBy))
  return [...names].filter((name) => !(name in resources || name in parameters || /^AWS(?:::|$)/.test(name)))
}

function namedBy({
  DependsOn: dependsOn = [],
  Properties: properties,
}: Partial<TemplateResource> = {}): readonly string[] {
  return [...[dependsOn].flat(), ...referencedIds(properties)]
}

/** Everything that `Ref`, `Fn::GetAtt` and `Fn::Sub` name inside a value. */
function referencedIds(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(referencedIds)
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => {
    if (key === 'Ref') return [String(inner)]
    if (key === 'Fn::GetAtt') return [String(Array.isArray(inner) ? inner[0] : String(inner).split('.')[0])]
    return [...(key === 'Fn::Sub' ? substitutedIds(inner) : []), ...referencedIds(inner)]
  })
}

function substitutedIds(argument: unknown): readonly string[] {
  const [text, own = {}] = [argument].flat() as readonly unknown[]
  const named = [...String(text).matchAll(/\$\{([A-Za-z0-9]+)[^}]*\}/g)].map(([, id]) => id ?? '')
  return named.filter((id) => !(id in (own as object)))
}
