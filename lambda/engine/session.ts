import type { EngineContext } from './context.ts'
import type { Connection } from './database.ts'
import { historyReadySql } from './history-schema.ts'
import { heldLockError, lockKey } from './lock.ts'

/** A session that holds the set's lock. */
export interface Session {
  readonly connection: Connection
  readonly database: string
  /** Whether the history tables exist. */
  readonly ready: boolean
  /** Gives the lock back and ends the session. */
  readonly release: () => Promise<void>
}

/** DDL never queues longer than this in front of the application's queries. */
export const LOCK_TIMEOUT_MS = 5000
/** Between PostgreSQL's cancelling a statement and the end of the process. */
const STATEMENT_MARGIN_MS = 10_000
const FIRST_POLL_MS = 100
const LONGEST_POLL_MS = 1000

/**
 * The settings of a run's session. A dead function is noticed by `client_connection_check_interval` while a statement
 * runs and by the keepalives between statements.
 */
export function sessionSettingsSql(context: Pick<EngineContext, 'remainingMs'>): string {
  return `${stepTimeoutsSql(context)};
SET idle_in_transaction_session_timeout = 0;
SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3;
SELECT CASE WHEN pg_catalog.current_setting('client_connection_check_interval', true) IS NOT NULL
  THEN pg_catalog.set_config('client_connection_check_interval', '5s', false) END`
}

/** A step's timeouts. SET alone: before SET TRANSACTION nothing may be asked. */
export function stepTimeoutsSql(
  context: Pick<EngineContext, 'remainingMs'>,
  own: { readonly lockTimeoutMs?: number | null; readonly statementTimeoutMs?: number | null } = {},
): string {
  return `SET lock_timeout = ${own.lockTimeoutMs ?? LOCK_TIMEOUT_MS};
SET statement_timeout = ${statementTimeout(context.remainingMs(), own.statementTimeoutMs ?? null)}`
}

/** Milliseconds, 0 for none: PostgreSQL stops a statement cleanly before the process is ended. */
function statementTimeout(remainingMs: number, ownMs: number | null): number {
  const untilEnd = Number.isFinite(remainingMs) ? Math.max(1000, remainingMs - STATEMENT_MARGIN_MS) : 0
  if (ownMs === null || ownMs === 0) return Math.floor(untilEnd)
  return Math.floor(untilEnd === 0 ? ownMs : Math.min(ownMs, untilEnd))
}

/**
 * Puts back what a migration may have changed in its session (a dump that empties `search_path`, `SET ROLE`, its own
 * timeouts), so that the next one begins as if alone.
 */
export function resetSessionSql(context: Pick<EngineContext, 'remainingMs'>): string {
  return `RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL; ${sessionSettingsSql(context)}`
}

/**
 * Connects and takes the set's lock, polling: a session that waits in `pg_advisory_lock` holds a snapshot that
 * CREATE INDEX CONCURRENTLY waits for, and the two would deadlock.
 *
 * @throws LockstepError `DATABASE_UNREACHABLE`, `LOCK_HELD` (naming the holder).
 */
export async function openSession(context: EngineContext): Promise<Session> {
  const connection = await context.connect()
  try {
    return await takeLock(connection, context)
  } catch (error) {
    await connection.close()
    throw error
  }
}

async function takeLock(connection: Connection, context: EngineContext): Promise<Session> {
  const { clock, lockTimeoutMs } = context
  const key = lockKey(context.schema, context.set)
  const ask = `SELECT pg_catalog.pg_try_advisory_lock(${key}) AS locked, pg_catalog.current_database() AS database,
  ${historyReadySql(context.schema)} AS ready`
  const patience = Math.min(lockTimeoutMs, context.remainingMs() - STATEMENT_MARGIN_MS)
  const deadline = clock.monotonic() + patience
  let told = false
  for (let attempt = 0; ; attempt += 1) {
    const results = await connection.execute(attempt === 0 ? `${sessionSettingsSql(context)};\n${ask}` : ask)
    const row = results.at(-1)?.rows[0]
    if (row?.locked === true) {
      return {
        connection,
        database: String(row.database),
        ready: row.ready === true,
        release: () => release(connection, key),
      }
    }
    if (clock.monotonic() >= deadline) throw await heldLockError(connection, context, key)
    if (!told) context.log.info('waiting for another run of the same set to end', { set: context.set })
    told = true
    await clock.sleep(Math.min(LONGEST_POLL_MS, FIRST_POLL_MS * 1.5 ** attempt) * (0.75 + Math.random() / 2))
  }
}

async function release(connection: Connection, key: string): Promise<void> {
  // Unlocking by hand, because behind a pooler the server's session may outlive ours.
  if (connection.isOpen()) await connection.execute(`SELECT pg_catalog.pg_advisory_unlock(${key})`).catch(() => [])
  await connection.close()
}
