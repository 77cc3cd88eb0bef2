import { createHash } from 'node:crypto'
import { LockstepError, UNTOUCHED } from '../../errors.ts'
import type { EngineContext } from '../context.ts'
import type { Connection, Row } from '../database.ts'

/** The advisory lock's key for a set: 64 bits, as a decimal that PostgreSQL reads as bigint. */
export function lockKey(schema: string, set: string): string {
  const digest = createHash('sha256').update(`lockstep:${schema}:${set}`).digest()
  return digest.readBigInt64BE(0).toString()
}

/** The advisory locks on the key that `key`, an expression, gives. */
function lockRows(key: string): string {
  return `l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
  AND ((l.classid::bigint << 32) | l.objid::bigint) = ${key}::bigint`
}

const HOLDER_SQL = `SELECT l.pid, coalesce(a.application_name, 'an unknown application') AS application,
  coalesce(a.usename, 'unknown') AS username, coalesce(host(a.client_addr), 'a local socket') AS address,
  coalesce(to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'an unknown time') AS since
FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a USING (pid)
WHERE ${lockRows('$1')}`

/** Whether the session that asks holds the lock, as an expression. */
export function holdsLockSql(key: string): string {
  return `EXISTS (SELECT FROM pg_catalog.pg_locks l WHERE l.pid = pg_catalog.pg_backend_pid() AND ${lockRows(`'${key}'`)})`
}

/** The process of the session that holds the lock, as a query. */
export function holderPidSql(key: string): string {
  return `SELECT l.pid FROM pg_catalog.pg_locks l WHERE ${lockRows(`'${key}'`)}`
}

/**
 * Whether a run of the set may be under way: it holds the lock, whatever its record says. A replica does not show the
 * locks of its primary.
 */
export async function isLockHeld(connection: Connection, key: string): Promise<boolean> {
  const { rows } = await connection.query(
    `SELECT pg_catalog.pg_is_in_recovery() OR EXISTS (SELECT FROM pg_catalog.pg_locks l WHERE ${lockRows('$1')}) AS held`,
    [key],
  )
  return rows[0]?.held === true
}

/** The error for a lock that did not become free in this time, naming who holds it. */
export async function heldLockError(
  connection: Connection,
  context: Pick<EngineContext, 'set'>,
  { key, waitedMs }: { readonly key: string; readonly waitedMs: number },
): Promise<LockstepError> {
  const { rows } = await connection.query(HOLDER_SQL, [key])
  const [holder] = rows
  return new LockstepError({
    code: 'LOCK_HELD',
    message: `Another run of the set "${context.set}" is under way and did not end within ${seconds(waitedMs)}: ${describe(holder)}.`,
    state: UNTOUCHED,
    remedy: holder
      ? `Wait for it, or end it with SELECT pg_terminate_backend(${String(holder.pid)}); the lock goes with its session.`
      : 'Try again: it has just ended.',
  })
}

function describe(holder: Row | undefined): string {
  if (holder === undefined) return 'the holder has just gone'
  const [pid, application, user, address, since] = ['pid', 'application', 'username', 'address', 'since'].map((name) =>
    String(holder[name]),
  )
  return `pid ${pid}, ${application}, user ${user}, from ${address}, since ${since}`
}

function seconds(milliseconds: number): string {
  return `${Math.round(milliseconds / 100) / 10} s`
}
