import { parseSync } from 'libpg-query'
import { HARMLESS_ALTERATIONS, HARMLESS_OBJECTS, HARMLESS_STATEMENTS, OBJECT_KINDS } from './statement-kinds.ts'
import { fieldsOf, type Fields } from '../migration/parse-tree.ts'
import { itemsOf, nameIn, relationIn, textIn, type ObjectName } from './tree.ts'

/** A fact about what statements can do to the rows of tables. */
export type Mention =
  /** Rows may change, or go. `structure`: as may those of what is made of it. */
  | { readonly kind: 'changes'; readonly relation: ObjectName; readonly by: string; readonly structure: boolean }
  /** Rows may change if the run writes any: names and views and rules may have moved by then. */
  | { readonly kind: 'names'; readonly relation: ObjectName; readonly by: string }
  /** Nothing of it changes, but it may call functions: views do, and policies. */
  | { readonly kind: 'reads'; readonly relation: ObjectName }
  /** What depends on it may change, or go. */
  | { readonly kind: 'object'; readonly object: DependedOn; readonly name: ObjectName; readonly by: string }
  /** `maybe`: perhaps it is no function at all. */
  | { readonly kind: 'calls'; readonly name: ObjectName; readonly maybe: boolean }
  /** A function that writing rows may call. */
  | { readonly kind: 'fires'; readonly name: ObjectName }
  | { readonly kind: 'defines'; readonly name: ObjectName; readonly sql: string }
  | { readonly kind: 'block'; readonly sql: string }
  /** `modifies`: rows that are there already. */
  | { readonly kind: 'writes'; readonly modifies: boolean }
  | { readonly kind: 'truncates-cascade' }
  /** From here on names may mean other objects. */
  | { readonly kind: 'search-path' }
  | { readonly kind: 'unsure'; readonly why: string }

export type DependedOn = 'type' | 'function' | 'schema' | 'extension'

/**
 * Everything that SQL text says of tables, by its parse tree.
 *
 * @throws what the parser throws.
 */
export function mentionsIn(sql: string): readonly Mention[] {
  return (parseSync(sql).stmts ?? []).flatMap(({ stmt }) => [...walk(stmt, sql)])
}

/** Of a tree that was parsed already. */
export function mentionsOf(node: unknown, sql: string): readonly Mention[] {
  return [...walk(node, sql)]
}

function* walk(node: unknown, sql: string): Generator<Mention> {
  if (Array.isArray(node)) {
    for (const item of node as readonly unknown[]) yield* walk(item, sql)
    return
  }
  if (typeof node !== 'object' || node === null) return
  const fields = fieldsOf(node)
  if (typeof fields.relname === 'string') yield { kind: 'reads', relation: relationIn(fields) }
  if (Array.isArray(fields.funcname)) yield { kind: 'calls', name: nameIn(fields.funcname), maybe: false }
  for (const [key, child] of Object.entries(fields)) yield* inside(key, child, sql)
}

function* inside(key: string, child: unknown, sql: string): Generator<Mention> {
  const handler = HANDLERS[key]
  if (handler !== undefined) yield* handler(fieldsOf(child), sql)
  else if (!/^[A-Z]\w*Stmt$/.test(key) || HARMLESS_STATEMENTS.has(key)) yield* walk(child, sql)
  else yield unsure(`${key.slice(0, -'Stmt'.length)} is a statement whose effect is not known`)
}

type Handler = (body: Fields, sql: string) => Generator<Mention>

const HANDLERS: Readonly<Record<string, Handler>> = {
  *InsertStmt(body, sql) {
    const updates = fieldsOf(body.onConflictClause).action === 'ONCONFLICT_UPDATE'
    yield* written(body, sql, 'INSERT', updates)
  },
  UpdateStmt: (body, sql) => written(body, sql, 'UPDATE', true),
  DeleteStmt: (body, sql) => written(body, sql, 'DELETE', true),
  MergeStmt: (body, sql) => written(body, sql, 'MERGE', true),
  *CopyStmt(body, sql) {
    if (body.is_program === true) yield unsure('COPY runs a program')
    if (body.is_from === true) yield* written(body, sql, 'COPY', false)
    else yield* walk(body, sql)
  },
  *TruncateStmt({ relations, behavior }) {
    yield { kind: 'writes', modifies: true }
    if (behavior === 'DROP_CASCADE') yield { kind: 'truncates-cascade' }
    for (const item of itemsOf(relations)) yield changes(fieldsOf(item).RangeVar, 'TRUNCATE', true)
  },
  *AlterTableStmt(body, sql) {
    const by = `ALTER ${objectWords(body.objtype)}`
    const parts = itemsOf(body.cmds).map((item) => fieldsOf(fieldsOf(item).AlterTableCmd))
    const isHarmless = parts.every(({ subtype }) => HARMLESS_ALTERATIONS.has(String(subtype)))
    if (isHarmless) yield { kind: 'names', relation: relationIn(fieldsOf(body.relation)), by }
    else yield changes(body.relation, by, true)
    // To validate a constraint is to call its functions.
    yield { kind: 'reads', relation: relationIn(fieldsOf(body.relation)) }
    for (const { subtype, def } of parts) {
      if (subtype === 'AT_AttachPartition') yield changes(fieldsOf(fieldsOf(def).PartitionCmd).name, by, true)
      yield* walk(def, sql)
    }
  },
  *DropStmt({ removeType, objects }) {
    const by = `DROP ${objectWords(removeType)}`
    if (HARMLESS_OBJECTS.has(String(removeType))) return
    for (const item of itemsOf(objects)) yield* object(removeType, item, by)
  },
  *RenameStmt({ renameType, relation, object: renamed }) {
    const by = `ALTER ${objectWords(renameType)} … RENAME`
    if (HARMLESS_OBJECTS.has(String(renameType))) return
    if (renameType === 'OBJECT_SCHEMA') yield unsure('a schema is renamed')
    // Whoever calls another of the new name may get this one.
    if (OBJECT_KINDS[String(renameType)] === 'function') yield { kind: 'calls', name: nameIn(renamed), maybe: false }
    if (relation !== undefined) yield changes(relation, by, true)
    else yield* object(renameType, renamed, by)
  },
  *AlterObjectSchemaStmt({ objectType, relation, object: moved }) {
    const by = `ALTER ${objectWords(objectType)} … SET SCHEMA`
    if (HARMLESS_OBJECTS.has(String(objectType))) return
    if (relation !== undefined) yield changes(relation, by, true)
    else yield* object(objectType, moved, by)
  },
  *AlterExtensionStmt({ extname }) {
    const name = { schema: null, name: String(extname) }
    yield { kind: 'object', object: 'extension', name, by: 'ALTER EXTENSION' }
  },
  *AlterEnumStmt({ typeName, oldVal }) {
    const name = nameIn(typeName)
    if (oldVal !== undefined) yield { kind: 'object', object: 'type', name, by: 'ALTER TYPE … RENAME VALUE' }
  },
  *ViewStmt({ view, query }, sql) {
    yield { kind: 'names', relation: relationIn(fieldsOf(view)), by: 'CREATE VIEW' }
    yield* named(walk(query, sql), 'CREATE VIEW')
  },
  *RuleStmt(body, sql) {
    yield* named(walk(body, sql), 'CREATE RULE')
  },
  *CreateTrigStmt({ relation, funcname, whenClause }, sql) {
    yield { kind: 'names', relation: relationIn(fieldsOf(relation)), by: 'CREATE TRIGGER' }
    yield { kind: 'fires', name: nameIn(funcname) }
    yield* walk(whenClause, sql)
  },
  // What it is made of is looked at when it is called.
  *CreateFunctionStmt({ funcname, parameters }, sql) {
    yield { kind: 'defines', name: nameIn(funcname), sql }
    yield* walk(parameters, sql)
  },
  *DoStmt(_body, sql) {
    yield { kind: 'block', sql }
  },
  *VariableSetStmt({ kind, name }) {
    if (kind === 'VAR_RESET_ALL' || MOVES_NAMES.has(String(name))) yield { kind: 'search-path' }
  },
  *FuncCall(body, sql) {
    if (nameIn(body.funcname).name === 'set_config') yield { kind: 'search-path' }
    yield* walk(body, sql)
  },
  *ColumnRef({ fields }) {
    // `row.name` may be the call of a function of the row.
    if (itemsOf(fields).length > 1) yield { kind: 'calls', name: { ...nameIn(fields), schema: null }, maybe: true }
  },
  *A_Indirection({ arg, indirection }, sql) {
    yield { kind: 'calls', name: { ...nameIn(indirection), schema: null }, maybe: true }
    yield* walk([arg, indirection], sql)
  },
  *VacuumStmt({ options, rels }) {
    if (!JSON.stringify(options ?? []).includes('"full"')) return
    if (itemsOf(rels).length === 0) yield unsure('VACUUM FULL rewrites every table')
    for (const rel of itemsOf(rels)) yield changes(fieldsOf(fieldsOf(rel).VacuumRelation).relation, 'VACUUM FULL', true)
  },
  *ClusterStmt({ relation }) {
    if (relation === undefined) yield unsure('CLUSTER rewrites every table')
    else yield changes(relation, 'CLUSTER', true)
  },
  DefineStmt: mayCall,
  CreateCastStmt: mayCall,
  CreateRangeStmt: mayCall,
}

const MOVES_NAMES = new Set(['search_path', 'role', 'session_authorization'])

function* written(body: Fields, sql: string, by: string, modifies: boolean): Generator<Mention> {
  const { relation, ...rest } = body
  yield { kind: 'writes', modifies }
  yield changes(relation, by, false)
  yield* walk(rest, sql)
}

/** What a view or a rule reads becomes what is written through it. */
function* named(mentions: Generator<Mention>, by: string): Generator<Mention> {
  for (const mention of mentions) {
    yield mention
    if (mention.kind === 'reads') yield { kind: 'names', relation: mention.relation, by }
  }
}

/** Names of functions among other names: of an operator, an aggregate, a cast. */
function* mayCall(body: Fields): Generator<Mention> {
  for (const name of textIn(body)) yield { kind: 'calls', name: { schema: null, name }, maybe: true }
}

function* object(objectType: unknown, node: unknown, by: string): Generator<Mention> {
  const kind = OBJECT_KINDS[String(objectType)]
  const name = nameIn(node)
  if (kind === undefined) yield unsure(`${by} may take columns with it`)
  else if (kind === 'relation') yield { kind: 'changes', relation: name, by, structure: true }
  else yield { kind: 'object', object: kind, name, by }
}

function changes(relation: unknown, by: string, structure: boolean): Mention {
  return { kind: 'changes', relation: relationIn(fieldsOf(relation)), by, structure }
}

function unsure(why: string): Mention {
  return { kind: 'unsure', why }
}

/** `OBJECT_FOREIGN_TABLE`: `FOREIGN TABLE`. */
function objectWords(objectType: unknown): string {
  return String(objectType).replace('OBJECT_', '').replaceAll('_', ' ')
}
