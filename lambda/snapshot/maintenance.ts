import type pg from 'pg'
import { LockstepError } from '../errors.ts'
import type { OpenSession } from './session.ts'

/** Databases that every server has: to be in while others are created, renamed and dropped. */
export const MAINTENANCE_DATABASES: readonly string[] = ['postgres', 'template1']

/**
 * A session from which the database `name` can be renamed: one that is not in it.
 *
 * @throws LockstepError `DATABASE_UNREACHABLE` when no maintenance database lets us in.
 */
export async function openMaintenance(open: OpenSession, name: string): Promise<pg.Client> {
  const [first = 'postgres', ...others] = MAINTENANCE_DATABASES.filter((candidate) => candidate !== name)
  const [second] = others
  if (second === undefined) return open(first)
  try {
    return await open(first)
  } catch (error) {
    if (!(error instanceof LockstepError)) throw error
    return open(second)
  }
}

/** The database that a client connects to when none is named; null when it does not exist. */
export async function connectedDatabase(open: OpenSession): Promise<string | null> {
  try {
    const client = await open()
    const result = await client.query<{ name: string }>('SELECT current_database()::text AS name')
    await client.end()
    return result.rows[0]?.name ?? null
  } catch (error) {
    // invalid_catalog_name (PostgreSQL, appendix A): it was dropped, which may be why somebody restores.
    if (error instanceof LockstepError && error.report.sqlState === '3D000') return null
    throw error
  }
}
