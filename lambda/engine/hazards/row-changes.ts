import {
  fieldsOf,
  listOf,
  nodeOf,
  relationIn,
  someNode,
  type Fields,
  type NamedRelation,
  type Tree,
} from '../migration/parse-tree.ts'

/** What a statement does to rows that are there already. */
export interface RowChange {
  readonly table: NamedRelation
  readonly does: 'update' | 'delete'
  /** Whether to every row that the table has. */
  readonly isUnbounded: boolean
  /** Those that are overwritten; null: all of them, or not known. */
  readonly columns: readonly string[] | null
}

/** The rows that a statement says it overwrites or deletes, also in a WITH; not what functions do that it calls. */
export function rowChangesIn({ kind, fields }: Tree): readonly RowChange[] {
  const changes: RowChange[] = []
  someNode({ [kind]: fields }, (inner, node) => {
    changes.push(...changesOf(inner, node))
    return false
  })
  return changes
}

const WRITES = new Set(['InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt'])

/** The tables whose rows a statement names to be written. */
export function writtenBy({ kind, fields }: Tree): readonly NamedRelation[] {
  const names: NamedRelation[] = []
  someNode({ [kind]: fields }, (inner, { relation }) => {
    const named = WRITES.has(inner) ? relationIn(relation) : null
    if (named !== null) names.push(named)
    return false
  })
  return names
}

function changesOf(kind: string, fields: Fields): readonly RowChange[] {
  if (kind === 'TruncateStmt')
    return listOf(fields.relations).flatMap((item) => change(nodeOf(item).fields, 'delete', true))
  const target = fieldsOf(fields.relation)
  const { whereClause } = fields
  const isUnbounded = whereClause === undefined || constantOf(whereClause) === true
  switch (kind) {
    case 'UpdateStmt':
      return change(target, 'update', isUnbounded, columnsIn(fields.targetList))
    case 'DeleteStmt':
      return change(target, 'delete', isUnbounded)
    case 'InsertStmt': {
      const { action, targetList } = fieldsOf(fields.onConflictClause)
      return action === 'ONCONFLICT_UPDATE' ? change(target, 'update', false, columnsIn(targetList)) : []
    }
    case 'MergeStmt':
      return listOf(fields.mergeWhenClauses)
        .map((clause) => nodeOf(clause).fields)
        .flatMap(({ commandType, targetList }) => {
          if (commandType === 'CMD_DELETE') return change(target, 'delete', false)
          return commandType === 'CMD_UPDATE' ? change(target, 'update', false, columnsIn(targetList)) : []
        })
    default:
      return []
  }
}

function change(
  relation: Fields,
  does: RowChange['does'],
  isUnbounded: boolean,
  columns: RowChange['columns'] = null,
): readonly RowChange[] {
  const table = relationIn(relation)
  return table === null ? [] : [{ table, does, isUnbounded, columns }]
}

function columnsIn(targetList: unknown): readonly string[] {
  return listOf(targetList).map((target) => String(nodeOf(target).fields.name))
}

/** `true`, `1 = 1`, `NOT false`, and what is made of such; null where rows decide. */
function constantOf(expression: unknown): boolean | null {
  const { kind, fields } = nodeOf(expression)
  switch (kind) {
    case 'A_Const':
      return 'boolval' in fields ? fieldsOf(fields.boolval).boolval === true : null
    case 'A_Expr':
      return isSameConstant(fields) ? true : null
    case 'BoolExpr':
      return constantOfAll(String(fields.boolop), listOf(fields.args).map(constantOf))
    default:
      return null
  }
}

function constantOfAll(operator: string, values: readonly (boolean | null)[]): boolean | null {
  if (operator === 'NOT_EXPR') return values[0] === null || values[0] === undefined ? null : !values[0]
  const deciding = operator === 'OR_EXPR'
  if (values.includes(deciding)) return deciding
  return values.includes(null) ? null : !deciding
}

function isSameConstant({ kind, name, lexpr, rexpr }: Fields): boolean {
  const operator = fieldsOf(fieldsOf(listOf(name)[0]).String).sval
  const [left, right] = [nodeOf(lexpr), nodeOf(rexpr)]
  if (kind !== 'AEXPR_OP' || operator !== '=' || left.kind !== 'A_Const' || right.kind !== 'A_Const') return false
  return left.fields.isnull !== true && valueText(left.fields) === valueText(right.fields)
}

/** Where it stands does not matter. */
function valueText(fields: Fields): string {
  return JSON.stringify({ ...fields, location: null })
}
