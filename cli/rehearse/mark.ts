import { quoteIdentifier, quoteLiteral, type Connection } from '../../lambda/engine/database.ts'
import type { ShadowServer } from '../shadow/shadow-server.ts'

/** Begins the comment of a database that is to be dropped. As long as its rehearsal goes on, a session is in it. */
const MARK = 'Made by lockstep rehearse: '

/** @param session - one in the database */
export async function markScratch(session: Connection, database: string, original: string): Promise<void> {
  const text = `${MARK}a copy of "${original}". Where no rehearsal is running, drop it.`
  await session.execute(`COMMENT ON DATABASE ${quoteIdentifier(database)} IS ${quoteLiteral(text)}`)
}

/** From now on it is for people to drop. */
export async function markKept(session: Connection, database: string, original: string): Promise<void> {
  const text = `Kept by lockstep rehearse --keep: a copy of "${original}". Drop it when nobody needs it: DROP DATABASE ${quoteIdentifier(database)};`
  await session.execute(`COMMENT ON DATABASE ${quoteIdentifier(database)} IS ${quoteLiteral(text)}`)
}

/** Drops what rehearsals that were killed have left. */
export async function dropAbandoned(server: ShadowServer): Promise<void> {
  const connection = await server.connect('postgres')
  try {
    const { rows } = await connection.query(
      `SELECT d.datname::text AS name FROM pg_catalog.pg_database d
WHERE pg_catalog.starts_with(pg_catalog.shobj_description(d.oid, 'pg_database'), $1)
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_activity a WHERE a.datid = d.oid)`,
      [MARK],
    )
    // One that belongs to somebody else is theirs to drop.
    for (const { name } of rows) await server.dropDatabase(String(name)).catch(() => {})
  } finally {
    await connection.close()
  }
}
