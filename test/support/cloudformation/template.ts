/** A template as far as the stack engine reads it. */
export interface Template {
  readonly Resources: Readonly<Record<string, TemplateResource>>
  readonly Parameters?: Readonly<Record<string, { readonly Default?: string }>>
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

/** Logical ids of the resources, each after those that it refers to or depends on. */
export function dependencyOrder({ Resources: resources }: Template): readonly string[] {
  return ordered(Object.keys(resources), (id) => directDependencies(resources, id))
}

/** Logical ids of everything that a resource needs, directly or not. */
export function dependenciesOf({ Resources: resources }: Template, logicalId: string): ReadonlySet<string> {
  const own = directDependencies(resources, logicalId)
  const all = ordered([...own], (id) => directDependencies(resources, id))
  return new Set(all.filter((id) => id !== logicalId))
}

/** The ids, each after those that it depends on; otherwise in the order given. */
export function ordered(ids: readonly string[], dependencies: (id: string) => ReadonlySet<string>): readonly string[] {
  const seen = new Set<string>()
  const sorted: string[] = []
  const visit = (id: string): void => {
    if (seen.has(id)) return
    seen.add(id)
    dependencies(id).forEach(visit)
    sorted.push(id)
  }
  ids.forEach(visit)
  return sorted
}

function directDependencies(resources: Template['Resources'], logicalId: string): ReadonlySet<string> {
  const { DependsOn: dependsOn = [], Properties: properties } = resources[logicalId] ?? {}
  return new Set([...[dependsOn].flat(), ...referencedIds(properties)].filter((id) => id in resources))
}

/** Everything that `Ref`, `Fn::GetAtt` and `Fn::Sub` name inside a value. */
function referencedIds(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(referencedIds)
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => {
    if (key === 'Ref') return [String(inner)]
    if (key === 'Fn::GetAtt') return [String(Array.isArray(inner) ? inner[0] : String(inner).split('.')[0])]
    const text: unknown = key === 'Fn::Sub' ? [inner].flat()[0] : ''
    const named = [...String(text).matchAll(/\$\{([A-Za-z0-9]+)[^}]*\}/g)].map(([, id]) => id ?? '')
    return [...named, ...referencedIds(inner)]
  })
}
