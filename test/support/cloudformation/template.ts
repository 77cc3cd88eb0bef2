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
  readonly Condition?: string
}

export type Properties = Readonly<Record<string, unknown>>

/** Logical ids of the resources, each after those that it refers to or depends on. */
export function dependencyOrder(template: Template): readonly string[] {
  const ordered = new Set<string>()
  const visit = (logicalId: string): void => {
    const resource = template.Resources[logicalId]
    if (resource === undefined || ordered.has(logicalId)) return
    for (const id of dependencies(resource)) if (id !== logicalId) visit(id)
    ordered.add(logicalId)
  }
  Object.keys(template.Resources).forEach(visit)
  return [...ordered]
}

function dependencies(resource: TemplateResource): ReadonlySet<string> {
  return new Set([...[resource.DependsOn ?? []].flat(), ...referencedIds(resource.Properties)])
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
