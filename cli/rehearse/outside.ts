import { quoteIdentifier, type Connection } from '../../lambda/engine/database.ts'

/**
 * What stands behind foreign servers and subscriptions is real: nobody may log in there, and no slot there is dropped with
 * a subscription.
 *
 * @param session - in the copy
 * @returns a sentence for what was left out
 */
export async function closeToOutside(session: Connection): Promise<readonly string[]> {
  for (const name of await subscriptionsIn(session))
    await session.execute(`ALTER SUBSCRIPTION ${quoteIdentifier(name)} SET (slot_name = NONE)`)
  const { rows } = await session.query(
    `SELECT srvname::text AS server, CASE umuser WHEN 0 THEN '' ELSE usename::text END AS role FROM pg_catalog.pg_user_mappings`,
  )
  for (const row of rows) {
    const [server, role] = [String(row.server), String(row.role)]
    const user = role === '' ? 'PUBLIC' : quoteIdentifier(role)
    await session.execute(`DROP USER MAPPING FOR ${user} SERVER ${quoteIdentifier(server)}`)
  }
  return rows.length === 0
    ? []
    : ['User mappings were left out: what foreign tables stand for is real, and is not read or written.']
}

/** A database with subscriptions cannot be dropped. */
export async function dropSubscriptions(session: Connection): Promise<void> {
  for (const name of await subscriptionsIn(session)) {
    const subscription = quoteIdentifier(name)
    await session.execute(`ALTER SUBSCRIPTION ${subscription} DISABLE`)
    await session.execute(`ALTER SUBSCRIPTION ${subscription} SET (slot_name = NONE)`)
    await session.execute(`DROP SUBSCRIPTION ${subscription}`)
  }
}

async function subscriptionsIn(session: Connection): Promise<readonly string[]> {
  const { rows } = await session.query(
    `SELECT subname::text AS name FROM pg_catalog.pg_subscription
WHERE subdbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())`,
  )
  return rows.map((row) => String(row.name))
}
