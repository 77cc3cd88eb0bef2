import { scanSync } from 'libpg-query'
import { quoteIdentifier, quoteLiteral } from '../database.ts'
import {
  alterActions,
  constraintsOf,
  fieldsOf,
  listOf,
  namesIn,
  nodeOf,
  relationIn,
  textOf,
  treeOf,
  type AlterAction,
  type Fields,
  type NamedRelation,
} from '../migration/parse-tree.ts'

/** A query on rows that exist, of which a statement demands something: each row that it gives is a violation. */
export interface DataQuestion {
  readonly relation: NamedRelation
  /** What is demanded: `total IS NOT NULL`, `UNIQUE (email)`. */
  readonly demand: string
  /** Gives one row, of no columns, for each violation. */
  readonly sql: string
}

/** What must be looked up before it can be asked. */
export type Lookup =
  | { readonly kind: 'question'; readonly question: DataQuestion }
  /** A foreign key that names no columns of the other table: it means the primary key. */
  | {
      readonly kind: 'primary-key'
      readonly of: NamedRelation
      readonly demandOf: (columns: readonly string[]) => DataQuestion
    }
  /** VALIDATE CONSTRAINT: what it demands is in the catalog. */
  | { readonly kind: 'constraint'; readonly relation: NamedRelation; readonly name: string }

/**
 * What a statement demands of rows that exist: NOT NULL, UNIQUE, PRIMARY KEY, CHECK, a foreign key. The parser must be
 * loaded. Pure.
 */
export function questionsOf(sql: string): readonly Lookup[] {
  const { kind, fields } = treeOf(sql)
  const relation = relationIn(fields.relation)
  if (relation === null) return []
  if (kind === 'IndexStmt') return uniqueIndex(relation, fields)
  if (kind !== 'AlterTableStmt' || fields.objtype !== 'OBJECT_TABLE') return []
  return alterActions(fields).flatMap((action) => questionsOfAction(sql, relation, action))
}

/** What the definition of a constraint, as the catalog gives it, demands. */
export function questionsOfDefinition(relation: NamedRelation, definition: string): readonly Lookup[] {
  return questionsOf(`ALTER TABLE ${nameText(relation)} ADD ${definition.replace(/ NOT VALID$/, '')}`)
}

function questionsOfAction(sql: string, relation: NamedRelation, action: AlterAction): readonly Lookup[] {
  const name = textOf(action.fields.name)
  switch (action.type) {
    case 'AT_SetNotNull':
      return name === null ? [] : [ask(notNull(relation, [name]))]
    case 'AT_ValidateConstraint':
      return name === null ? [] : [{ kind: 'constraint', relation, name }]
    case 'AT_AddConstraint':
      return constraintsOf(action).flatMap((constraint) => questionsOfConstraint(sql, relation, constraint))
    case 'AT_AddColumn':
      return requiredColumn(relation, action)
    default:
      return []
  }
}

function questionsOfConstraint(sql: string, relation: NamedRelation, constraint: Fields): readonly Lookup[] {
  if (constraint.skip_validation === true || textOf(constraint.indexname) !== null) return []
  const keys = namesIn(constraint.keys)
  switch (constraint.contype) {
    case 'CONSTR_NOTNULL':
      return [ask(notNull(relation, keys))]
    case 'CONSTR_UNIQUE':
      return [ask(unique(relation, keys, constraint.nulls_not_distinct === true))]
    case 'CONSTR_PRIMARY':
      return [ask(unique(relation, keys, false)), ask(notNull(relation, keys))]
    case 'CONSTR_CHECK': {
      const condition = checkText(sql, constraint)
      return condition === null ? [] : [ask(check(relation, condition))]
    }
    case 'CONSTR_FOREIGN':
      return foreignKey(relation, constraint)
    default:
      return []
  }
}

function ask(question: DataQuestion): Lookup {
  return { kind: 'question', question }
}

function notNull(relation: NamedRelation, columns: readonly string[]): DataQuestion {
  return {
    relation,
    demand: `${columns.join(', ')} NOT NULL`,
    sql: `SELECT FROM ${nameText(relation)} WHERE ${columns.map((column) => `${quoteIdentifier(column)} IS NULL`).join(' OR ')}`,
  }
}

/** A group of rows that are the same counts once. */
function unique(relation: NamedRelation, columns: readonly string[], nullsCount: boolean): DataQuestion {
  const list = columns.map(quoteIdentifier).join(', ')
  const known = nullsCount
    ? ''
    : ` WHERE ${columns.map((column) => `${quoteIdentifier(column)} IS NOT NULL`).join(' AND ')}`
  return {
    relation,
    demand: `UNIQUE (${columns.join(', ')})`,
    sql: `SELECT FROM ${nameText(relation)}${known} GROUP BY ${list} HAVING pg_catalog.count(*) > 1`,
  }
}

function uniqueIndex(relation: NamedRelation, fields: Fields): readonly Lookup[] {
  const columns = listOf(fields.indexParams).map((item) => textOf(nodeOf(item).fields.name))
  const plain = columns.filter((column) => column !== null)
  // Expressions and partial indexes are left to the statement itself.
  if (fields.unique !== true || fields.whereClause !== undefined || plain.length !== columns.length) return []
  return [ask(unique(relation, plain, fields.nulls_not_distinct === true))]
}

function check(relation: NamedRelation, condition: string): DataQuestion {
  return { relation, demand: `CHECK (${condition})`, sql: `SELECT FROM ${nameText(relation)} WHERE NOT (${condition})` }
}

/** The text between the parentheses behind CHECK; the parse tree does not say where it ends. */
function checkText(sql: string, { location }: Fields): string | null {
  const bytes = Buffer.from(sql, 'utf8')
  const from = typeof location === 'number' ? location : 0
  let depth = 0
  let start: number | null = null
  for (const token of scanSync(sql).tokens) {
    if (token.start < from) continue
    if (token.text === '(') {
      start ??= token.end
      depth += 1
    }
    if (token.text === ')') depth -= 1
    if (start !== null && depth === 0) return bytes.toString('utf8', start, token.start).trim()
  }
  return null
}

function foreignKey(relation: NamedRelation, constraint: Fields): readonly Lookup[] {
  const other = relationIn(constraint.pktable)
  const columns = namesIn(constraint.fk_attrs)
  // MATCH FULL refuses rows of which only a part is NULL: it is left to the statement.
  if (other === null || columns.length === 0 || constraint.fk_matchtype !== 's') return []
  const demandOf = (keys: readonly string[]): DataQuestion => references(relation, columns, other, keys)
  const keys = namesIn(constraint.pk_attrs)
  return [keys.length > 0 ? ask(demandOf(keys)) : { kind: 'primary-key', of: other, demandOf }]
}

function references(
  relation: NamedRelation,
  columns: readonly string[],
  other: NamedRelation,
  keys: readonly string[],
): DataQuestion {
  const known = columns.map((column) => `own.${quoteIdentifier(column)} IS NOT NULL`)
  const same = columns.map(
    (column, index) => `other.${quoteIdentifier(keys[index] ?? '')} = own.${quoteIdentifier(column)}`,
  )
  return {
    relation,
    demand: `FOREIGN KEY (${columns.join(', ')}) REFERENCES ${other.name}`,
    sql: `SELECT FROM ${nameText(relation)} own WHERE ${known.join(' AND ')}
  AND NOT EXISTS (SELECT FROM ${nameText(other)} other WHERE ${same.join(' AND ')})`,
  }
}

/** Any row at all is one too many for a column that must have a value and has none to begin with. */
function requiredColumn(relation: NamedRelation, action: AlterAction): readonly Lookup[] {
  const types = constraintsOf(action).map(({ contype }) => contype)
  const isFilled = types.some((type) => FILLS.has(String(type))) || isSerial(action)
  if (isFilled || (!types.includes('CONSTR_NOTNULL') && !types.includes('CONSTR_PRIMARY'))) return []
  const column = textOf(nodeOf(action.fields.def).fields.colname) ?? ''
  const demand = `a value in the new column ${column}`
  const unlessThere = action.fields.missing_ok === true ? ` WHERE ${isAbsent(relation, column)}` : ''
  return [ask({ relation, demand, sql: `SELECT FROM ${nameText(relation)}${unlessThere}` })]
}

/** For ADD COLUMN IF NOT EXISTS, which leaves a column that is there as it is. */
function isAbsent(relation: NamedRelation, column: string): string {
  return `NOT EXISTS (SELECT FROM pg_catalog.pg_attribute
  WHERE attrelid = ${quoteLiteral(nameText(relation))}::pg_catalog.regclass AND attname = ${quoteLiteral(column)} AND NOT attisdropped)`
}

const FILLS = new Set(['CONSTR_DEFAULT', 'CONSTR_IDENTITY', 'CONSTR_GENERATED'])

function isSerial({ fields }: AlterAction): boolean {
  const type = fieldsOf(nodeOf(fields.def).fields.typeName)
  return /serial\d?$/.test(namesIn(type.names).at(-1) ?? '')
}

function nameText({ schema, name }: NamedRelation): string {
  return schema === null ? quoteIdentifier(name) : `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`
}
