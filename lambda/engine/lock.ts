import { createHash } from 'node:crypto'
import { LockstepError, UNTOUCHED } from '../errors.ts'
import type { EngineContext } from './context.ts'
import type { Connection, Row } from './database.ts'

/** The advisory lock's key for a set: 64 bits, as a decimal that PostgreSQL reads as bigint. */
export function lockKey(schema: string, set: string): string {
  const digest = createHash('sha256').update(`lockstep:${schema}:${set}`).digest()
  return digest.readBigInt64BE(0).toString()
}

const HOLDER_SQL = `SELECT l.pid, coalesce(a.application_name, 'an unknown application') AS application,
  coalesce(a.usename, 'unknown') AS username, coalesce(host(a.client_addr), 'a local socket') AS address,
  coalesce(to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'an unknown time') AS since
FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a USING (pid)
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
  AND ((l.classid::bigint << 32) | l.objid::bigint) = $1::bigint`

/** Whether a run of the set is under way: it holds the lock, whatever its record says. */
export async function isLockHeld(connection: Connection, key: string): Promise<boolean> {
  return (await connection.query(HOLDER_SQL, [key])).rows.length > 0
}

/** The error for a lock that did not become free, naming who holds it. */
export async function heldLockError(
  connection: Connection,
  context: EngineContext,
  key: string,
): Promise<LockstepError> {
  const { rows } = await connection.query(HOLDER_SQL, [key])
  const [holder] = rows
  return new LockstepError({
    code: 'LOCK_HELD',
    message: `Another run of the set "${context.set}" is under way and did not end within ${seconds(context.lockTimeoutMs)}: ${describe(holder)}.`,
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
