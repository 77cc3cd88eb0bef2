import type pg from 'pg'
import type { MissingRoles } from '../snapshot-contract.ts'
import type { DatabaseProperties } from './database-properties.ts'
import { Fault } from './fault.ts'
import type { RestoreScripts } from './restore-scripts.ts'
import type { RoleMention, ScriptStatement } from './script-statement.ts'
import { headOf, type Script } from './sql-script.ts'

/** What a restore is going to run, once the roles are settled. */
export interface SettledRoles {
  readonly scripts: RestoreScripts
  readonly properties: DatabaseProperties
  /** None of these is named any more, but by the scripts with the large objects. */
  readonly missing: ReadonlySet<string>
  /** A sentence for everything that was left out. */
  readonly warnings: readonly string[]
}

/**
 * Makes sure that every role exists that the snapshot gives something to. With `skip`, what belongs to a missing one
 * will belong to the role that restores, and what is granted to it is left out.
 *
 * @throws Fault naming all the missing roles.
 */
export async function settleRoles(
  client: pg.Client,
  scripts: RestoreScripts,
  properties: DatabaseProperties,
  choice: MissingRoles,
): Promise<SettledRoles> {
  const missing = await missingAmong(client, rolesNeeded(scripts, properties))
  if (missing.length === 0) return { scripts, properties, missing: new Set(), warnings: [] }
  if (choice === 'fail') throw rolesMissing(missing)
  return withoutRoles(scripts, properties, new Set(missing), await currentUser(client))
}

/** The roles that objects are given to, or privileges of them. */
export function rolesNeeded(
  { preData, postData, largeObjectRoles }: RestoreScripts,
  properties: DatabaseProperties,
): readonly string[] {
  const { owner, permissions, settings } = properties
  const ofDatabase = [...(permissions ?? []), ...settings].map(({ role }) => role).filter((role) => role !== null)
  const ofObjects = [...preData.statements, ...postData.statements].flatMap(({ roles }) => roles)
  return [...new Set([owner, ...ofDatabase, ...ofObjects.map(({ role }) => role), ...largeObjectRoles])]
}

async function missingAmong(client: pg.Client, roles: readonly string[]): Promise<readonly string[]> {
  const { rows } = await client.query<{ role: string }>(
    `SELECT wanted.role FROM unnest($1::text[]) AS wanted (role)
      WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = wanted.role) ORDER BY wanted.role`,
    [roles],
  )
  return rows.map(({ role }) => role)
}

async function currentUser(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ name: string }>('SELECT current_user::text AS name')
  return rows[0]?.name ?? ''
}

function rolesMissing(missing: readonly string[]): Fault {
  const named = missing.map((role) => `"${role}"`).join(', ')
  const [what, create] =
    missing.length === 1 ? [`role ${named} does`, 'Create it'] : [`roles ${named} do`, 'Create them']
  return new Fault(
    `the ${what} not exist on this server, and the snapshot gives ${missing.length === 1 ? 'it' : 'them'} objects or privileges.`,
    `${create} (CREATE ROLE … NOLOGIN is enough), or choose to skip missing roles: their objects will belong to you, and their privileges are left out (--missing-roles skip).`,
  )
}

/** Pure. @param heir - who gets what belongs to the missing roles */
export function withoutRoles(
  scripts: RestoreScripts,
  properties: DatabaseProperties,
  missing: ReadonlySet<string>,
  heir: string,
): SettledRoles {
  const warnings: string[] = []
  const cleaned = (script: Script): Script => ({
    ...script,
    statements: script.statements.flatMap((statement) => {
      const kept = withoutMentions(statement, missing)
      if (kept !== statement) warnings.push(warningOf(statement, kept, missing))
      return kept === null ? [] : [kept]
    }),
  })
  for (const role of scripts.largeObjectRoles.filter((name) => missing.has(name))) {
    warnings.push(
      `"${role}" does not exist, so its large objects belong to "${heir}", and its permissions on others were left out.`,
    )
  }
  return {
    scripts: { ...scripts, preData: cleaned(scripts.preData), postData: cleaned(scripts.postData) },
    properties: propertiesWithout(properties, missing, heir, warnings),
    missing,
    warnings,
  }
}

/** The same when it names none of them; null when nothing is left of it. */
function withoutMentions(statement: ScriptStatement, missing: ReadonlySet<string>): ScriptStatement | null {
  const gone = statement.roles.filter(({ role }) => missing.has(role))
  if (gone.length === 0) return statement
  // A policy for nobody is no policy; for the others it stays as it is. Neither shows a row that was hidden.
  if (statement.effect.kind !== 'policy' || gone.length === statement.roles.length) return null
  return { ...statement, sql: withoutListed(statement.sql, statement.roles, gone) }
}

/** Takes some of the names out of a list `TO a, b, c`. */
function withoutListed(sql: string, listed: readonly RoleMention[], gone: readonly RoleMention[]): string {
  const bytes = Buffer.from(sql)
  const first = listed[0]?.at ?? 0
  const names = listed.map(({ at }, index) => {
    const end = listed[index + 1]?.at ?? endOfName(bytes, at)
    return { at, text: bytes.toString('utf8', at, end).replace(/,\s*$/, '') }
  })
  const last = names.at(-1)
  const end = last === undefined ? first : last.at + Buffer.byteLength(last.text)
  const kept = names.filter(({ at }) => !gone.some((mention) => mention.at === at)).map(({ text }) => text)
  return bytes.toString('utf8', 0, first) + kept.join(', ') + bytes.toString('utf8', end)
}

function endOfName(bytes: Buffer, at: number): number {
  const name = /^(?:"(?:[^"]|"")*"|[^\s,;()]+)/.exec(bytes.toString('utf8', at))?.[0] ?? ''
  return at + Buffer.byteLength(name)
}

function warningOf(
  { sql, effect, roles }: ScriptStatement,
  kept: ScriptStatement | null,
  missing: ReadonlySet<string>,
): string {
  const named = [...new Set(roles.map(({ role }) => role).filter((role) => missing.has(role)))]
  const subject = `${named.map((role) => `"${role}"`).join(', ')} ${named.length === 1 ? 'does' : 'do'} not exist`
  // Others may hold secrets: options of a user mapping, literals of a policy.
  const text = effect.kind === 'grant' || effect.kind === 'owner' ? sql.replaceAll(/\s+/g, ' ') : headOf(sql)
  return kept === null ? `${subject}, so this was left out: ${text}.` : `${subject}, and so was left out of: ${text}.`
}

function propertiesWithout(
  properties: DatabaseProperties,
  missing: ReadonlySet<string>,
  heir: string,
  warnings: string[],
): DatabaseProperties {
  const { owner, settings } = properties
  // What the owner may do with the database is for whoever owns it now.
  const inherited = (role: string | null): string | null => (role === owner && missing.has(owner) ? heir : role)
  const permissions = properties.permissions?.map((entry) => ({ ...entry, role: inherited(entry.role) })) ?? null
  const exists = ({ role }: { readonly role: string | null }): boolean => role === null || !missing.has(role)
  if (missing.has(owner)) warnings.push(`"${owner}" does not exist, so the database belongs to "${heir}".`)
  for (const { role, privileges } of permissions ?? []) {
    if (!exists({ role }))
      warnings.push(`"${role}" does not exist, so this was left out: ${privileges.join(', ')} on the database.`)
  }
  for (const { role, name } of settings) {
    if (!exists({ role }))
      warnings.push(`"${role}" does not exist, so this was left out: its setting ${name} in the database.`)
  }
  return {
    ...properties,
    owner: missing.has(owner) ? heir : owner,
    permissions: permissions?.filter(exists) ?? null,
    settings: settings.filter(exists),
  }
}
