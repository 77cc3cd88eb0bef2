import { setTimeout as delay } from 'node:timers/promises'
import type pg from 'pg'
import { quoteIdentifier } from '../engine/database.ts'

export interface Rename {
  readonly from: string
  readonly to: string
}

/** Well under the five seconds for which PostgreSQL lets a rename wait for other sessions to go. */
const POLL_MS = 50

/**
 * Renames databases in one transaction: all or none. A rename locks its database first, so that new sessions wait at
 * the door, and then waits for those inside; a second session shows them out meanwhile. Nobody can slip in between,
 * and nothing has to be put back when this process dies in the middle.
 *
 * @param client A session in a maintenance database.
 * @param usher Another one.
 * @param finish Statements of the same transaction, for when the databases have their new names.
 */
export async function renameAll(
  client: pg.Client,
  usher: pg.Client,
  renames: readonly Rename[],
  finish: readonly string[] = [],
): Promise<void> {
  const databases = await oidsOf(client, renames)
  const doorkeeper = await backendOf(client)
  const renaming = renameInTransaction(client, renames, finish)
  await Promise.all([renaming, endSessionsUntil(renaming, usher, { databases, doorkeeper })])
}

async function oidsOf(client: pg.Client, renames: readonly Rename[]): Promise<readonly string[]> {
  const result = await client.query<{ oid: string }>(
    'SELECT oid::text AS oid FROM pg_catalog.pg_database WHERE datname = ANY ($1)',
    [renames.map(({ from }) => from)],
  )
  return result.rows.map(({ oid }) => oid)
}

async function backendOf(client: pg.Client): Promise<number> {
  const result = await client.query<{ pid: number }>('SELECT pg_catalog.pg_backend_pid() AS pid')
  return result.rows[0]?.pid ?? 0
}

async function renameInTransaction(
  client: pg.Client,
  renames: readonly Rename[],
  finish: readonly string[],
): Promise<void> {
  await client.query('BEGIN')
  for (const { from, to } of renames) {
    await client.query(`ALTER DATABASE ${quoteIdentifier(from)} RENAME TO ${quoteIdentifier(to)}`)
  }
  for (const statement of finish) await client.query(statement)
  await client.query('COMMIT')
}

interface Doors {
  /** By oid: the names are changing. */
  readonly databases: readonly string[]
  /** Process id of the session whose renames close the doors. */
  readonly doorkeeper: number
}

async function endSessionsUntil(renaming: Promise<void>, usher: pg.Client, doors: Doors): Promise<void> {
  const finished = new AbortController()
  const finish = (): void => finished.abort()
  renaming.then(finish, finish)
  try {
    while (!finished.signal.aborted) {
      await endSessions(usher, doors)
      await delay(POLL_MS)
    }
  } catch {
    // Whether the rename succeeds is what counts; without the usher it may fail, and then says who is in the way.
    await renaming
  }
}

/**
 * Ends the sessions in the databases whose doors are closed: from any other they would come back before the rename.
 * Those that hold an advisory lock go last: what it guards must not fall to one that was waiting for it. Only sessions
 * that this role may end: one refusal would spare all the others.
 */
async function endSessions(client: pg.Client, { databases, doorkeeper }: Doors): Promise<void> {
  await client.query(
    `WITH inside AS (
       SELECT a.pid, a.datid, me.rolsuper
              OR NOT other.rolsuper AND (pg_catalog.pg_has_role('pg_signal_backend', 'USAGE')
                                         OR pg_catalog.pg_has_role(other.oid, 'USAGE')) AS may_end,
              EXISTS (SELECT FROM pg_catalog.pg_locks l
                       WHERE l.pid = a.pid AND l.locktype = 'advisory' AND l.granted) AS guards
         FROM pg_catalog.pg_stat_activity a
         JOIN pg_catalog.pg_roles me ON me.rolname = current_user
         LEFT JOIN pg_catalog.pg_roles other ON other.oid = a.usesysid
        WHERE a.datid::text = ANY ($1) AND a.pid <> pg_catalog.pg_backend_pid()
          AND EXISTS (SELECT FROM pg_catalog.pg_locks l
                       WHERE l.pid = $2 AND l.locktype = 'object' AND l.classid = 'pg_catalog.pg_database'::regclass
                         AND l.objid = a.datid AND l.mode = 'AccessExclusiveLock' AND l.granted))
     SELECT pg_catalog.pg_terminate_backend(i.pid) FROM inside i
      WHERE i.may_end
        AND (NOT i.guards OR NOT EXISTS (SELECT FROM inside o WHERE o.datid = i.datid AND NOT o.guards))`,
    [databases, doorkeeper],
  )
}
