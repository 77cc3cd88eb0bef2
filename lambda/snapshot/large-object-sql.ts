import { quoteIdentifier } from '../engine/database.ts'

/** What belongs to a large object besides its content. */
export interface LargeObjectMetadata {
  readonly oid: string
  readonly owner: string
  readonly comment: string | null
  /** Null: the default permissions. */
  readonly grants: readonly LargeObjectGrant[] | null
}

export interface LargeObjectGrant {
  readonly grantor: string
  /** Null: PUBLIC. */
  readonly role: string | null
  readonly privilege: string
  readonly grantable: boolean
}

/** One line. */
export function createSql(oid: string): string {
  return `SELECT pg_catalog.lo_create(${oid});\n`
}

/** One statement a line. Once the owner has changed, only the owner may do the rest, so the comment comes first. */
export function metadataSql({ oid, owner, comment, grants }: LargeObjectMetadata): string {
  const lines = [
    ...(comment === null ? [] : [`COMMENT ON LARGE OBJECT ${oid} IS ${literalOnOneLine(comment)}`]),
    `ALTER LARGE OBJECT ${oid} OWNER TO ${identifierOnOneLine(owner)}`,
    ...(grants === null ? [] : grantsSql(oid, owner, grants)),
  ]
  return lines.map((line) => `${line};\n`).join('')
}

function grantsSql(oid: string, owner: string, grants: readonly LargeObjectGrant[]): readonly string[] {
  return [
    `REVOKE ALL ON LARGE OBJECT ${oid} FROM ${identifierOnOneLine(owner)}`,
    ...grants.flatMap((grant) => {
      const grantee = grant.role === null ? 'PUBLIC' : identifierOnOneLine(grant.role)
      const option = grant.grantable ? ' WITH GRANT OPTION' : ''
      const sql = `GRANT ${grant.privilege} ON LARGE OBJECT ${oid} TO ${grantee}${option}`
      if (grant.grantor === owner) return [sql]
      return [`SET ROLE ${identifierOnOneLine(grant.grantor)}`, sql, 'RESET ROLE']
    }),
  ]
}

/**
 * Takes out of a script what belongs to roles that do not exist: to be applied to each line, '' leaves it out. What
 * such a role owns belongs to whoever runs the script, and what it granted is granted by the owner.
 */
export function withoutRoles(missing: Iterable<string>): (line: string) => string {
  const names = new Set([...missing].map(identifierOnOneLine))
  if (names.size === 0) return (line) => line
  return (line) => (names.has(MENTION.exec(line)?.[1] ?? '') ? '' : line)
}

const MENTION =
  /^(?:ALTER LARGE OBJECT \d+ OWNER TO|REVOKE ALL ON LARGE OBJECT \d+ FROM|GRANT \w+ ON LARGE OBJECT \d+ TO|SET ROLE) ((?:U&)?"(?:[^"]|"")*")/

// A script is read line by line, so that nothing in it may contain the end of one.
function literalOnOneLine(text: string): string {
  const escaped = text.replaceAll(/[\\'\r\n]/g, (character) => ESCAPED[character] ?? character)
  return `E'${escaped}'`
}

const ESCAPED: Readonly<Record<string, string>> = { '\\': '\\\\', "'": "''", '\r': '\\r', '\n': '\\n' }

function identifierOnOneLine(name: string): string {
  if (!/[\r\n]/.test(name)) return quoteIdentifier(name)
  const escaped = name.replaceAll('\\', '\\\\').replaceAll('\r', '\\000d').replaceAll('\n', '\\000a')
  return `U&${quoteIdentifier(escaped)}`
}
