import type pg from 'pg'
import { quoteIdentifier } from '../engine/database.ts'
import type { OpenSession } from './session.ts'

/**
 * Drops a database. PostgreSQL refuses while it has subscriptions: they are let go of first, so that
 * their slots at the publisher stay for the original.
 *
 * @param client A session in another database.
 * @param sessions What becomes of those inside; with `spare` they keep the database from being dropped.
 */
export async function dropDatabase(
  client: pg.Client,
  open: OpenSession,
  name: string,
  sessions: 'end' | 'spare',
): Promise<void> {
  if (await hasSubscriptions(client, name)) await dropSubscriptions(open, name)
  await client.query(`DROP DATABASE IF EXISTS ${quoteIdentifier(name)}${sessions === 'end' ? ' WITH (FORCE)' : ''}`)
}

const SUBSCRIPTIONS = `
  SELECT s.subname::text AS name
    FROM pg_catalog.pg_subscription s JOIN pg_catalog.pg_database d ON d.oid = s.subdbid WHERE d.datname = $1`

async function hasSubscriptions(client: pg.Client, database: string): Promise<boolean> {
  return (await client.query(SUBSCRIPTIONS, [database])).rows.length > 0
}

async function dropSubscriptions(open: OpenSession, database: string): Promise<void> {
  const inside = await open(database)
  const { rows } = await inside.query<{ name: string }>(SUBSCRIPTIONS, [database])
  for (const name of rows.map((row) => quoteIdentifier(row.name))) {
    await inside.query(`ALTER SUBSCRIPTION ${name} DISABLE`)
    await inside.query(`ALTER SUBSCRIPTION ${name} SET (slot_name = NONE)`)
    await inside.query(`DROP SUBSCRIPTION ${name}`)
  }
  await inside.end()
}
