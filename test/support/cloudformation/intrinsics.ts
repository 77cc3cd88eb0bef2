/** What names in a template stand for. */
export interface Scope {
  readonly reference: (name: string) => unknown
  readonly attribute: (logicalId: string, attribute: string) => unknown
  readonly condition: (name: string) => unknown
  readonly mapping: (map: string, key: string, name: string) => unknown
  readonly importedValue: (name: string) => unknown
}

/** Stands for `AWS::NoValue`: the property is as if it were not there. */
export const NO_VALUE = Symbol('AWS::NoValue')

type Intrinsic = (argument: unknown, scope: Scope) => unknown

/** The value with its intrinsic functions replaced by what they give. */
export function resolveValue(value: unknown, scope: Scope): unknown {
  if (Array.isArray(value)) return value.map((item) => resolveValue(item, scope)).filter((item) => item !== NO_VALUE)
  if (typeof value !== 'object' || value === null) return value
  const [first, ...more] = Object.entries(value)
  if (first !== undefined && more.length === 0 && /^(Ref|Condition|Fn::.+)$/.test(first[0])) {
    const intrinsic = INTRINSICS[first[0]]
    if (intrinsic === undefined) throw new Error(`${first[0]} is not simulated`)
    return intrinsic(first[1], scope)
  }
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, inner]) => [key, resolveValue(inner, scope)] as const)
      .filter(([, inner]) => inner !== NO_VALUE),
  )
}

const INTRINSICS: Readonly<Record<string, Intrinsic>> = {
  Ref: (name, scope) => scope.reference(String(name)),
  Condition: (name, scope) => scope.condition(String(name)),
  'Fn::GetAtt': (argument, scope) => {
    const [logicalId = '', ...attribute] = Array.isArray(argument) ? list(argument, scope) : String(argument).split('.')
    return scope.attribute(String(logicalId), attribute.join('.'))
  },
  'Fn::Join': (argument, scope) => {
    const [separator, parts] = list(argument, scope)
    return (parts as readonly unknown[]).map(String).join(String(separator))
  },
  'Fn::Sub': (argument, scope) => substitute(argument, scope),
  'Fn::Select': (argument, scope) => {
    const [index, items] = list(argument, scope)
    return (items as readonly unknown[])[Number(index)]
  },
  'Fn::Split': (argument, scope) => {
    const [separator, text] = list(argument, scope)
    return String(text).split(String(separator))
  },
  'Fn::If': (argument, scope) => {
    const [name, whenTrue, whenFalse] = argument as readonly unknown[]
    return resolveValue(scope.condition(String(name)) === true ? whenTrue : whenFalse, scope)
  },
  'Fn::Equals': (argument, scope) => {
    const [left, right] = list(argument, scope)
    return String(left) === String(right)
  },
  'Fn::Not': (argument, scope) => list(argument, scope)[0] !== true,
  'Fn::And': (argument, scope) => list(argument, scope).every((item) => item === true),
  'Fn::Or': (argument, scope) => list(argument, scope).some((item) => item === true),
  'Fn::FindInMap': (argument, scope) => {
    const [map, key, name] = list(argument, scope)
    return scope.mapping(String(map), String(key), String(name))
  },
  'Fn::ImportValue': (argument, scope) => scope.importedValue(String(resolveValue(argument, scope))),
  'Fn::Base64': (argument, scope) => Buffer.from(String(resolveValue(argument, scope))).toString('base64'),
}

function list(argument: unknown, scope: Scope): readonly unknown[] {
  return resolveValue(argument, scope) as readonly unknown[]
}

function substitute(argument: unknown, scope: Scope): string {
  const [text, variables] = Array.isArray(argument) ? argument : [argument, {}]
  const own = resolveValue(variables, scope) as Readonly<Record<string, unknown>>
  return String(text).replaceAll(/\$\{(!?)([^}]+)\}/g, (_all, literal: string, name: string) => {
    if (literal === '!') return `\${${name}}`
    if (name in own) return String(own[name])
    const [logicalId = '', ...attribute] = name.split('.')
    return String(attribute.length === 0 ? scope.reference(name) : scope.attribute(logicalId, attribute.join('.')))
  })
}
