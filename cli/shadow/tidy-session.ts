import type { Connection } from '../../lambda/engine/database.ts'

/**
 * Takes away what a migration leaves in its session and another one, in which the next run works, would not have:
 * temporary tables, cursors, listens and advisory locks.
 */
export async function tidySession(connection: Connection): Promise<void> {
  await connection.execute('CLOSE ALL; UNLISTEN *; DISCARD TEMP; SELECT pg_catalog.pg_advisory_unlock_all()')
}
