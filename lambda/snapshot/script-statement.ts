import { asFields, itemsOf, kindAndBody, nameOf, textOf, type Fields } from './parse-tree.ts'

/** What a restore must know of a statement that pg_dump wrote. */
export interface ScriptStatement {
  /** Without the closing semicolon and the comments before it. */
  readonly sql: string
  readonly effect: StatementEffect
  /** The roles that it names, and where: in bytes of UTF-8 from the beginning of `sql`. */
  readonly roles: readonly RoleMention[]
}

export interface RoleMention {
  readonly role: string
  readonly at: number
}

/** Names are `schema.name`, as {@link nameOf} makes them. */
export type StatementEffect =
  /** `SET`: holds for what comes after it in the same session. */
  | { readonly kind: 'setting'; readonly name: string }
  | { readonly kind: 'index'; readonly table: string; readonly index: string }
  /** `ALTER TABLE … ADD CONSTRAINT`; `index`: the one that it makes, if it makes one. */
  | { readonly kind: 'constraint'; readonly table: string; readonly index: string | null }
  | { readonly kind: 'foreign-key'; readonly table: string; readonly referenced: string; readonly valid: boolean }
  /** `ALTER INDEX … ATTACH PARTITION`. */
  | { readonly kind: 'attach-index'; readonly index: string; readonly partition: string }
  /** Says something of an index or of a constraint that exists: a comment, CLUSTER ON, REPLICA IDENTITY, statistics. */
  | { readonly kind: 'follower'; readonly relations: readonly string[] }
  /** `CREATE TABLE`, with the tables that it inherits from. */
  | { readonly kind: 'table'; readonly table: string; readonly parents: readonly string[] }
  /** `ALTER TABLE … ATTACH PARTITION`. */
  | { readonly kind: 'attach-table'; readonly table: string; readonly partition: string }
  | { readonly kind: 'grant' | 'owner' | 'policy' | 'other' }

const OTHER: StatementEffect = { kind: 'other' }

/** Reads the effect from a statement's parse tree (`{ IndexStmt: { … } }`). Pure. */
export function effectOf(node: unknown): StatementEffect {
  const { kind, body } = kindAndBody(node)
  switch (kind) {
    case 'VariableSetStmt':
      return setting(body)
    case 'SelectStmt':
      return settingCall(body)
    case 'IndexStmt':
      return index(body)
    case 'AlterTableStmt':
      return alterTable(body)
    case 'CommentStmt':
      return comment(body)
    case 'CreateStmt':
      return table(body)
    case 'AlterOwnerStmt':
      return { kind: 'owner' }
    case 'GrantStmt':
    case 'AlterDefaultPrivilegesStmt':
      return { kind: 'grant' }
    case 'CreatePolicyStmt':
      return { kind: 'policy' }
    default:
      return OTHER
  }
}

/** A change of the user is none: what comes after it must stay with it, in its order. */
function setting({ name, kind }: Fields): StatementEffect {
  const parameter = textOf(name)
  if (parameter === null || ['session_authorization', 'role'].includes(parameter)) return OTHER
  return kind === 'VAR_SET_VALUE' ? { kind: 'setting', name: parameter } : OTHER
}

/** `SELECT pg_catalog.set_config('search_path', '', false)`, as pg_dump writes it. */
function settingCall({ targetList }: Fields): StatementEffect {
  const [target, ...others] = itemsOf(targetList)
  const call = asFields(asFields(asFields(asFields(target).ResTarget).val).FuncCall)
  const name = itemsOf(call.funcname).map((part) => asFields(asFields(part).String).sval)
  const parameter = textOf(asFields(asFields(asFields(itemsOf(call.args)[0]).A_Const).sval).sval)
  const isCall = others.length === 0 && name.join('.') === 'pg_catalog.set_config'
  return isCall && parameter !== null ? { kind: 'setting', name: parameter } : OTHER
}

function index(body: Fields): StatementEffect {
  const name = textOf(body.idxname)
  const table = nameOf(body.relation)
  if (name === null || table === null) return OTHER
  return { kind: 'index', table, index: beside(body.relation, name) }
}

function alterTable(body: Fields): StatementEffect {
  const relation = nameOf(body.relation)
  const commands = itemsOf(body.cmds).map((command) => asFields(asFields(command).AlterTableCmd))
  const [command] = commands
  if (relation === null || command === undefined || commands.length > 1) return OTHER
  const definition = asFields(command.def)
  switch (command.subtype) {
    case 'AT_AddConstraint':
      return constraint(body, relation, asFields(definition.Constraint))
    case 'AT_AttachPartition':
      return attach(body, relation, nameOf(asFields(definition.PartitionCmd).name))
    case 'AT_ClusterOn':
      return follower(body, relation, command.name)
    case 'AT_ReplicaIdentity':
      return follower(body, relation, asFields(definition.ReplicaIdentityStmt).name)
    case 'AT_SetStatistics':
      return body.objtype === 'OBJECT_INDEX' ? { kind: 'follower', relations: [relation] } : OTHER
    case 'AT_ChangeOwner':
      return { kind: 'owner' }
    default:
      return OTHER
  }
}

function constraint(body: Fields, table: string, definition: Fields): StatementEffect {
  switch (definition.contype) {
    case 'CONSTR_FOREIGN': {
      const referenced = nameOf(definition.pktable)
      if (referenced === null) return OTHER
      return { kind: 'foreign-key', table, referenced, valid: definition.skip_validation !== true }
    }
    case 'CONSTR_PRIMARY':
    case 'CONSTR_UNIQUE':
    case 'CONSTR_EXCLUSION': {
      const name = textOf(definition.conname)
      // USING INDEX takes one that exists, and may rename it.
      if (name === null || definition.indexname !== undefined) return OTHER
      return { kind: 'constraint', table, index: beside(body.relation, name) }
    }
    case 'CONSTR_CHECK':
    case 'CONSTR_NOTNULL':
      return { kind: 'constraint', table, index: null }
    default:
      return OTHER
  }
}

function attach(body: Fields, parent: string, partition: string | null): StatementEffect {
  if (partition === null) return OTHER
  return body.objtype === 'OBJECT_INDEX'
    ? { kind: 'attach-index', index: parent, partition }
    : { kind: 'attach-table', table: parent, partition }
}

function follower(body: Fields, table: string, indexName: unknown): StatementEffect {
  const name = textOf(indexName)
  return { kind: 'follower', relations: name === null ? [table] : [table, beside(body.relation, name)] }
}

function comment(body: Fields): StatementEffect {
  const names = itemsOf(asFields(asFields(body.object).List).items).map((item) =>
    textOf(asFields(asFields(item).String).sval),
  )
  const [schema, relation] = names
  if (typeof schema !== 'string' || typeof relation !== 'string') return OTHER
  // Of a constraint: schema, table, constraint.
  const shape = { OBJECT_INDEX: 2, OBJECT_TABCONSTRAINT: 3 }[String(body.objtype)]
  return names.length === shape ? { kind: 'follower', relations: [`${schema}.${relation}`] } : OTHER
}

function table(body: Fields): StatementEffect {
  const table = nameOf(body.relation)
  const parents = itemsOf(body.inhRelations)
    .map((parent) => nameOf(asFields(parent).RangeVar))
    .filter((name) => name !== null)
  return table === null ? OTHER : { kind: 'table', table, parents }
}

/** The name of an index: it lies in the schema of its table. */
function beside(relation: unknown, name: string): string {
  return `${textOf(asFields(relation).schemaname) ?? ''}.${name}`
}
