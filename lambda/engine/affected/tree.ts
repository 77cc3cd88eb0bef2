import { fieldsOf, type Fields } from '../migration/parse-tree.ts'

/** As a statement writes it. Null: without a schema. */
export interface ObjectName {
  readonly schema: string | null
  readonly name: string
}

/** The items of an array, or of a `List` node. */
export function itemsOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value as readonly unknown[]
  const { List: list, items } = fieldsOf(value)
  if (list !== undefined) return itemsOf(list)
  return items === undefined ? [] : itemsOf(items)
}

export function relationIn({ schemaname, relname }: Fields): ObjectName {
  return { schema: typeof schemaname === 'string' ? schemaname : null, name: String(relname) }
}

/** The name in a list of strings, in a type's name, in a function's with its arguments, or in one string. */
export function nameIn(node: unknown): ObjectName {
  const { TypeName: type, ObjectWithArgs: withArguments, String: one } = fieldsOf(node)
  if (type !== undefined) return nameIn(fieldsOf(type).names)
  if (withArguments !== undefined) return nameIn(fieldsOf(withArguments).objname)
  const parts = (one === undefined ? itemsOf(node) : [node]).map((item) => String(fieldsOf(fieldsOf(item).String).sval))
  return { schema: parts.at(-2) ?? null, name: parts.at(-1) ?? '' }
}

/** Every text that stands anywhere in the tree. */
export function* textIn(node: unknown): Generator<string> {
  if (typeof node === 'string') yield node
  else if (typeof node === 'object' && node !== null) for (const child of Object.values(node)) yield* textIn(child)
}
