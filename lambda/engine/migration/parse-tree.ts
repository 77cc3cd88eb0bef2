import { parseSync } from 'libpg-query'

/** The fields of a node of PostgreSQL's parse tree. */
export type Fields = Readonly<Record<string, unknown>>

/** One statement's tree: its kind (`AlterTableStmt`) and its fields. */
export interface Tree {
  readonly kind: string
  readonly fields: Fields
}

const NOTHING: Tree = { kind: '', fields: {} }

/** Parses one statement. The parser must be loaded. A text that does not parse has no kind. */
export function treeOf(sql: string): Tree {
  try {
    const [first] = (parseSync(sql).stmts ?? []) as readonly { readonly stmt?: unknown }[]
    return nodeOf(first?.stmt)
  } catch {
    return NOTHING
  }
}

/** `{ AlterTableStmt: { … } }` as kind and fields. */
export function nodeOf(value: unknown): Tree {
  const [entry] = Object.entries(fieldsOf(value))
  return entry === undefined ? NOTHING : { kind: entry[0], fields: fieldsOf(entry[1]) }
}

export function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {}
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : []
}

export function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

/** The texts of a list of `String` nodes. */
export function namesIn(value: unknown): readonly string[] {
  return listOf(value).flatMap((item) => {
    const text = textOf(fieldsOf(fieldsOf(item).String).sval)
    return text === null ? [] : [text]
  })
}

/** A relation as a statement names it. */
export interface NamedRelation {
  readonly schema: string | null
  readonly name: string
}

/** Of a `RangeVar`'s fields; null when it names none. */
export function relationIn(value: unknown): NamedRelation | null {
  const { schemaname, relname } = fieldsOf(value)
  const name = textOf(relname)
  return name === null ? null : { schema: textOf(schemaname), name }
}

/** An action of ALTER TABLE: its subtype (`AT_AddColumn`) and its fields. */
export interface AlterAction {
  readonly type: string
  readonly fields: Fields
}

/** The actions of an `AlterTableStmt`'s fields. */
export function alterActions(fields: Fields): readonly AlterAction[] {
  return listOf(fields.cmds).map((command) => {
    const action = fieldsOf(fieldsOf(command).AlterTableCmd)
    return { type: textOf(action.subtype) ?? '', fields: action }
  })
}

/** The constraints that an action of ALTER TABLE adds: its own, or those of the column that it adds. */
export function constraintsOf({ type, fields }: AlterAction): readonly Fields[] {
  const definition = nodeOf(fields.def)
  if (type === 'AT_AddConstraint') return [definition.fields]
  if (type !== 'AT_AddColumn') return []
  return listOf(definition.fields.constraints).map((constraint) => fieldsOf(fieldsOf(constraint).Constraint))
}

/** Whether anything in the tree, however deep, is a node of one of these kinds that satisfies `test`. */
export function someNode(value: unknown, test: (kind: string, fields: Fields) => boolean): boolean {
  if (Array.isArray(value)) return value.some((item) => someNode(item, test))
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).some(([key, inner]) => test(key, fieldsOf(inner)) || someNode(inner, test))
}
