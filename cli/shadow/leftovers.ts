import { quoteIdentifier, type Connection } from '../../lambda/engine/database.ts'

/** What has been made on a server beside the databases that migrations run in, and is to stay. */
export interface Kept {
  readonly roles: readonly string[]
  readonly databases: readonly string[]
}

/** Drops every database and role of a server of our own but these, so that what has made them can be replayed. */
export async function dropAllBut(admin: Connection, { roles, databases }: Kept): Promise<void> {
  const others = await admin.query(
    `SELECT datname AS name FROM pg_catalog.pg_database WHERE NOT datistemplate AND datname <> ALL ($1)`,
    [databases],
  )
  for (const { name } of others.rows) await admin.execute(`DROP DATABASE ${quoteIdentifier(String(name))} WITH (FORCE)`)
  const { rows } = await admin.query(
    `SELECT rolname AS name FROM pg_catalog.pg_roles WHERE rolname !~ '^pg_' AND rolname <> ALL ($1)`,
    [roles],
  )
  await dropRoles(
    admin,
    rows.map(({ name }) => String(name)),
  )
}

/** Drops those of the roles that are there, and what they were granted. What other databases need them for stays. */
export async function dropRoles(admin: Connection, names: readonly string[]): Promise<void> {
  const { rows } = await admin.query('SELECT rolname AS name FROM pg_catalog.pg_roles WHERE rolname = ANY ($1)', [
    names,
  ])
  const quoted = rows.map(({ name }) => quoteIdentifier(String(name)))
  // First of all of them: one may have granted what another holds.
  for (const name of quoted) await admin.execute(`DROP OWNED BY ${name} CASCADE`).catch(() => [])
  for (const name of quoted) await admin.execute(`DROP ROLE ${name}`).catch(() => [])
}
