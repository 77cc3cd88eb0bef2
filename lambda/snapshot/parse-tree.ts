/** Reading PostgreSQL's parse trees as libpg-query gives them: plain objects, `{ NodeName: { … } }`. */

export type Fields = Readonly<Record<string, unknown>>

export function asFields(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {}
}

export function itemsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : []
}

export function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

/** `{ IndexStmt: { … } }`: `IndexStmt` and what is in it. */
export function kindAndBody(node: unknown): { readonly kind: string; readonly body: Fields } {
  const [kind, body] = Object.entries(asFields(node))[0] ?? ['', {}]
  return { kind, body: asFields(body) }
}

/** `schema.name` of a `RangeVar`; null when it is none. */
export function nameOf(rangeVar: unknown): string | null {
  const { schemaname, relname } = asFields(rangeVar)
  const name = textOf(relname)
  return name === null ? null : `${textOf(schemaname) ?? ''}.${name}`
}

/** The roles that a statement names wherever it may: owners, grantees, policies, user mappings, default privileges. */
export function rolesIn(node: unknown): readonly { readonly role: string; readonly at: number }[] {
  if (typeof node !== 'object' || node === null) return []
  const { roletype, rolename, location } = node as Fields
  if (roletype === 'ROLESPEC_CSTRING' && typeof rolename === 'string') {
    return [{ role: rolename, at: typeof location === 'number' ? location : 0 }]
  }
  return Object.values(node).flatMap(rolesIn)
}

/** The user of `SET SESSION AUTHORIZATION`, by which pg_dump grants in another's name. */
export function sessionUserOf(node: unknown): { readonly role: string; readonly at: number } | null {
  const { kind, body } = kindAndBody(node)
  if (kind !== 'VariableSetStmt' || body.name !== 'session_authorization') return null
  const constant = asFields(asFields(itemsOf(body.args)[0]).A_Const)
  const role = textOf(asFields(constant.sval).sval)
  return role === null ? null : { role, at: typeof constant.location === 'number' ? constant.location : 0 }
}
