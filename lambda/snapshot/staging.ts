import type pg from 'pg'
import { messageOf } from '../errors.ts'
import { quoteIdentifier, quoteLiteral } from '../engine/database.ts'
import type { Log } from '../log.ts'
import { createDatabaseSql, type DatabaseProperties } from './database-properties.ts'
import { dropDatabase } from './drop-database.ts'
import { sqlStateOf } from './failure.ts'
import { Fault } from './fault.ts'
import type { OpenSession } from './session.ts'

/**
 * A half-made copy says in its comment what it is, and the session that makes it holds an advisory lock on its name.
 * So whoever finds one later can tell whether somebody is still at work on it.
 */
const MARK = 'Half-made by Lockstep: '
/** First key of the advisory locks; the second is a hash of the copy's name. */
const LOCK_CLASS = 1_280_004_946
/**
 * No comment can be made together with a database, but a limit of connections can: nobody else comes upon this one,
 * which limits nothing. By it a copy is known whose maker was killed before the comment was there.
 */
const MARK_LIMIT = 1_280_004_946

/** A database that a restore is putting together. */
export interface Staging {
  readonly name: string
  /** What the comment says of it. */
  readonly purpose: string
  /** Told before the copy can exist, and again once its oid is known. */
  readonly onCreated: (oid: string | null) => void
  /** Told when the server refused to make it: what bears the name is somebody else's. */
  readonly onRefused: () => void
}

/**
 * Makes an empty database like the original.
 *
 * @param client A session in a maintenance database, which stays open while the copy is half made.
 */
export async function createStaging(
  client: pg.Client,
  properties: DatabaseProperties,
  staging: Staging,
): Promise<void> {
  const { name, purpose } = staging
  if (!(await tryLock(client, name))) throw beingMade(name)
  const sql = `${createDatabaseSql(properties, name, await serverVersion(client))} CONNECTION LIMIT ${MARK_LIMIT}`
  staging.onCreated(null)
  try {
    await client.query(sql)
  } catch (error) {
    if (sqlStateOf(error) !== undefined) staging.onRefused()
    throw error
  }
  await client.query(commentSql(name, `${MARK}${purpose} If no restore is running, drop it.`))
  const { rows } = await client.query<{ oid: string }>(
    'SELECT oid::text AS oid FROM pg_catalog.pg_database WHERE datname = $1',
    [name],
  )
  staging.onCreated(rows[0]?.oid ?? null)
}

async function tryLock(client: pg.Client, name: string): Promise<boolean> {
  const { rows } = await client.query<{ locked: boolean }>(
    'SELECT pg_catalog.pg_try_advisory_lock($1, pg_catalog.hashtext($2)) AS locked',
    [LOCK_CLASS, name],
  )
  return rows[0]?.locked === true
}

function beingMade(name: string): Fault {
  return new Fault(`another restore is making "${name}" at this moment.`, 'Wait until it has ended, and try again.')
}

/** `COMMENT ON DATABASE`; null: none. */
export function commentSql(database: string, comment: string | null): string {
  return `COMMENT ON DATABASE ${quoteIdentifier(database)} IS ${comment === null ? 'NULL' : quoteLiteral(comment)}`
}

/** `ALTER DATABASE` that gives a copy its own limit of connections, instead of the mark. */
export function connectionLimitSql(database: string, limit: number): string {
  return `ALTER DATABASE ${quoteIdentifier(database)} CONNECTION LIMIT ${limit}`
}

export async function serverVersion(client: pg.Client): Promise<number> {
  const result = await client.query<{ version: string }>(`SELECT current_setting('server_version_num') AS version`)
  return Number(result.rows[0]?.version)
}

/** As {@link datedDatabaseName} makes it. */
const STAGING_NAME = String.raw`_restoring_\d{14}$`

/** Marked copies that nobody is at work on: their maker was killed. A limit of -2: while the copy was dropped. */
const LEFTOVERS = `
  SELECT d.datname::text AS name
    FROM pg_catalog.pg_database d
   WHERE (pg_catalog.starts_with(pg_catalog.shobj_description(d.oid, 'pg_database'), $1)
          OR d.datconnlimit IN ($3, -2) AND d.datname ~ $4 AND pg_catalog.shobj_description(d.oid, 'pg_database') IS NULL)
     AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_activity a WHERE a.datid = d.oid)
     AND NOT EXISTS (SELECT FROM pg_catalog.pg_locks l
                      WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND l.classid = $2::bigint::oid
                        AND l.objid = (pg_catalog.hashtext(d.datname) & 4294967295)::oid)`

/** Drops what killed restores have left half made. What cannot be dropped is told, and keeps nobody from working. */
export async function dropLeftovers(client: pg.Client, open: OpenSession, log: Log): Promise<void> {
  try {
    const { rows } = await client.query<{ name: string }>(LEFTOVERS, [MARK, LOCK_CLASS, MARK_LIMIT, STAGING_NAME])
    for (const { name } of rows) await dropLeftover(client, open, name, log)
  } catch (error) {
    log.warn('Could not look for half-made copies of killed restores', { reason: messageOf(error) })
  }
}

async function dropLeftover(client: pg.Client, open: OpenSession, name: string, log: Log): Promise<void> {
  const command = `DROP DATABASE IF EXISTS ${quoteIdentifier(name)}`
  try {
    await withPatience(client, async () => dropDatabase(client, open, name, 'spare'))
    log.info('Dropped the half-made copy of a restore that was killed', { database: name })
  } catch (error) {
    log.warn('A restore that was killed has left a half-made copy', {
      database: name,
      command,
      reason: messageOf(error),
    })
  }
}

/** DROP DATABASE waits for every session of the server that does not answer, such as one whose client does not read. */
const DROP_PATIENCE_MS = 15_000

async function withPatience(client: pg.Client, work: () => Promise<void>): Promise<void> {
  await client.query(`SET statement_timeout = ${DROP_PATIENCE_MS}`)
  try {
    await work()
  } finally {
    await client.query('SET statement_timeout = 0').catch(() => {})
  }
}

/** What is known of a half-made copy: its oid, or the name that it was to have. */
interface HalfMade {
  readonly oid: string | null
  readonly name: string
  /** The name that it gets when it is complete. */
  readonly target: string
}

/** Drops the copy unless it has become the target after all; resolves with the name that it had. */
export async function dropCopy(client: pg.Client, open: OpenSession, copy: HalfMade): Promise<string | null> {
  const name = await currentName(client, copy)
  if (name === null || name === copy.target) return name
  try {
    await withPatience(client, async () => dropDatabase(client, open, name, 'end'))
  } catch (error) {
    throw new Error(`${messageOf(error)}${await silentSessions(client)}`, { cause: error })
  }
  // A rename that was under way came first: then nothing bore the name any more.
  return (await currentName(client, copy)) ?? name
}

async function currentName(client: pg.Client, { oid, name }: HalfMade): Promise<string | null> {
  const { rows } = await client.query<{ name: string }>(
    'SELECT datname::text AS name FROM pg_catalog.pg_database WHERE oid::text = $1 OR ($1 IS NULL AND datname = $2)',
    [oid, name],
  )
  return rows[0]?.name ?? null
}

async function silentSessions(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{
    session: string
  }>(`SELECT format('pid %s, %s', pid, application_name) AS session
FROM pg_catalog.pg_stat_activity WHERE backend_type = 'client backend' AND wait_event = 'ClientWrite' LIMIT 3`)
  return rows.length === 0 ? '' : `; sessions whose clients do not read: ${rows.map((row) => row.session).join('; ')}`
}
