import { parseSync } from 'libpg-query'
import type { Migration } from '../../lambda/engine/migration/migration.ts'
import { loadParser } from '../../lambda/engine/migration/statements.ts'

/** What migrations take for granted and an empty server lacks. */
export interface Mentioned {
  /** Roles that they name and do not make. */
  readonly roles: readonly string[]
  /** Roles that they make. */
  readonly made: readonly string[]
  /** Databases that they name (`GRANT CONNECT ON DATABASE app`). */
  readonly databases: readonly string[]
}

/**
 * Finds the roles and databases that SQL migrations name. What stands in the texts of functions, and what code says, is
 * not looked into; a text that does not parse is passed over.
 */
export async function mentionedIn(migrations: readonly Migration[]): Promise<Mentioned> {
  await loadParser()
  const found: Found = { roles: new Set(), created: new Set(), databases: new Set() }
  for (const migration of migrations) {
    if (migration.kind !== 'sql') continue
    for (const block of [...migration.up.blocks, ...(migration.down?.blocks ?? [])]) lookInto(block.text, found)
  }
  return {
    roles: [...found.roles].filter((name) => !found.created.has(name)).toSorted(),
    made: [...found.created].toSorted(),
    databases: [...found.databases].toSorted(),
  }
}

interface Found {
  readonly roles: Set<string>
  readonly created: Set<string>
  readonly databases: Set<string>
}

function lookInto(sql: string, found: Found): void {
  for (const [, name = ''] of sql.matchAll(CREATE_ROLE)) found.created.add(unquoted(name))
  try {
    walk(parseSync(sql), found)
  } catch {
    // Whoever runs it says so, with the place.
  }
}

/** Also within the text of a DO block, which the parser does not read. */
const CREATE_ROLE = /\bcreate\s+(?:role|user|group)\s+("(?:[^"]|"")+"|[a-z_][\w$]*)/gi

function unquoted(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name.toLowerCase()
}

function walk(node: unknown, found: Found): void {
  if (typeof node !== 'object' || node === null) return
  if (Array.isArray(node)) {
    for (const item of node as readonly unknown[]) walk(item, found)
    return
  }
  for (const [key, value] of Object.entries(node)) {
    noteNames(key, value, found)
    walk(value, found)
  }
}

type Fields = Readonly<Record<string, unknown>>

function noteNames(kind: string, value: unknown, found: Found): void {
  const fields = (typeof value === 'object' && value !== null ? value : {}) as Fields
  note(found.roles, fields.rolename)
  switch (kind) {
    case 'VariableSetStmt':
      if (fields.name === 'role' || fields.name === 'session_authorization') note(found.roles, constantIn(fields.args))
      break
    case 'GrantRoleStmt':
      for (const role of privilegesIn(fields.granted_roles)) note(found.roles, role)
      break
    case 'AlterDatabaseStmt':
    case 'AlterDatabaseSetStmt':
      note(found.databases, fields.dbname)
      break
    case 'GrantStmt':
      if (fields.objtype === 'OBJECT_DATABASE')
        for (const name of stringsIn(fields.objects)) note(found.databases, name)
      break
    case 'CommentStmt':
    case 'AlterOwnerStmt':
      if ((fields.objtype ?? fields.objectType) === 'OBJECT_DATABASE')
        for (const name of stringsIn([fields.object])) note(found.databases, name)
      break
    default:
  }
}

function note(names: Set<string>, name: unknown): void {
  if (typeof name === 'string' && name !== '') names.add(name)
}

function constantIn(args: unknown): unknown {
  const [first] = Array.isArray(args) ? (args as readonly Fields[]) : []
  return ((first?.A_Const as Fields | undefined)?.sval as Fields | undefined)?.sval
}

function stringsIn(nodes: unknown): readonly unknown[] {
  const list = Array.isArray(nodes) ? (nodes as readonly Fields[]) : []
  return list.map((node) => (node.String as Fields | undefined)?.sval)
}

function privilegesIn(nodes: unknown): readonly unknown[] {
  const list = Array.isArray(nodes) ? (nodes as readonly Fields[]) : []
  return list.map((node) => (node.AccessPriv as Fields | undefined)?.priv_name)
}
