import { quoteIdentifier, quoteLiteral } from '../engine/database.ts'
import type { DatabasePermission, DatabaseProperties, DatabaseSetting } from './database-properties.ts'

/**
 * The statements that give a new database the comment, permissions, limit and settings of the original.
 *
 * @param target The database's name as it stands in SQL: quoted, or a psql variable.
 */
export function databasePropertiesSql(properties: DatabaseProperties, target: string): readonly string[] {
  return [
    ...(properties.comment === null ? [] : [`COMMENT ON DATABASE ${target} IS ${literal(properties.comment)}`]),
    ...(properties.connectionLimit === -1
      ? []
      : [`ALTER DATABASE ${target} CONNECTION LIMIT ${properties.connectionLimit}`]),
    ...properties.settings.map((setting) => settingSql(setting, target)),
    // Last, because they may take the right to connect from the role that is restoring.
    ...permissionsSql(properties, target),
  ]
}

function permissionsSql({ owner, permissions }: DatabaseProperties, target: string): readonly string[] {
  if (permissions === null) return []
  const revoked = ['PUBLIC', quoteIdentifier(owner)].map((role) => `REVOKE ALL ON DATABASE ${target} FROM ${role}`)
  return [...revoked, ...permissions.map((permission) => grantSql(permission, target))]
}

function grantSql({ role, privileges, grantable }: DatabasePermission, target: string): string {
  const grantee = role === null ? 'PUBLIC' : quoteIdentifier(role)
  return `GRANT ${privileges.join(', ')} ON DATABASE ${target} TO ${grantee}${grantable ? ' WITH GRANT OPTION' : ''}`
}

function settingSql({ role, name, value }: DatabaseSetting, target: string): string {
  const scope = role === null ? `DATABASE ${target}` : `ROLE ${quoteIdentifier(role)} IN DATABASE ${target}`
  const parameter = name.split('.').map(quoteIdentifier).join('.')
  return `ALTER ${scope} SET ${parameter} TO ${settingValue(name, value)}`
}

// GUC_LIST_QUOTE in PostgreSQL (src/bin/pg_dump/dumputils.c): a list of names, not one text with commas in it.
const NAME_LISTS = new Set([
  'local_preload_libraries',
  'search_path',
  'session_preload_libraries',
  'shared_preload_libraries',
  'temp_tablespaces',
  'unix_socket_directories',
])

function settingValue(name: string, value: string): string {
  if (!NAME_LISTS.has(name.toLowerCase())) return literal(value)
  const names = [...value.matchAll(/"((?:[^"]|"")*)"|[^\s,]+/g)]
  if (names.length === 0) return "''"
  return names.map(([whole, quoted]) => literal(quoted?.replaceAll('""', '"') ?? whole)).join(', ')
}

function literal(text: string): string {
  return quoteLiteral(text).trimStart()
}
