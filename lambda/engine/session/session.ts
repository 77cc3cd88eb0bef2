import { LockstepError, UNTOUCHED } from '../../errors.ts'
import type { EngineContext } from '../context.ts'
import { ConnectionLostError, type Connection, type Row } from '../database.ts'
import { historyReadySql } from '../history/history-schema.ts'
import { heldLockError, lockKey } from '../lock/lock.ts'
import { refuseChangingServerSession } from './pooler.ts'
import { READ_ONLY_SQL, readOnlyError } from './read-only.ts'

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
 * runs and by the keepalives between statements; what ends idle or long sessions of applications must not end a run that
 * takes its snapshot.
 */
export function sessionSettingsSql(context: Pick<EngineContext, 'remainingMs'>): string {
  return `${plainSettingsSql(context)};\nSELECT ${NEWER_SETTINGS}`
}

/** Those of them that every server has. */
export function plainSettingsSql(context: Pick<EngineContext, 'remainingMs'>): string {
  return `${stepTimeoutsSql(context)};
SET idle_in_transaction_session_timeout = 0;
SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3`
}

/** Those of them that an older server does not know, set by an expression: each is left out where it is not known. */
export const NEWER_SETTINGS = Object.entries({
  client_connection_check_interval: '5s',
  idle_session_timeout: '0',
  transaction_timeout: '0',
})
  .map(([name, value]) => {
    const isKnown = `pg_catalog.current_setting('${name}', true) IS NOT NULL`
    return `CASE WHEN ${isKnown} THEN pg_catalog.set_config('${name}', '${value}', false) END`
  })
  .join(',\n  ')

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
  return `${PUT_BACK}; ${sessionSettingsSql(context)}`
}

/** All that a session was told. */
export const PUT_BACK = 'RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL'

/** Called once when the lock is found held; whether to wait for it as long as there is time. */
export type WhenHeld = (connection: Connection) => Promise<boolean>

interface Patience {
  /** On the monotonic clock. */
  readonly began: number
  /** On the monotonic clock. */
  deadline: number
  readonly whenHeld: WhenHeld | null
}

/**
 * Connects and takes the set's lock, polling: a session that waits in `pg_advisory_lock` holds a snapshot that
 * CREATE INDEX CONCURRENTLY waits for, and the two would deadlock. While a failover is under way the writer's name may
 * still lead to the old one: a read-only server is tried again as long as connecting may take. A session that is ended
 * while it waits is opened anew: another run has restored its snapshot, and the database is another one by now.
 *
 * @throws LockstepError `DATABASE_UNREACHABLE`, `LOCK_HELD` (naming the holder), `CONFIG_INVALID` for a read-only
 *   server, and for a pooler behind which the lock does not hold.
 */
export async function openSession(context: EngineContext, whenHeld: WhenHeld | null = null): Promise<Session> {
  const { clock, lockTimeoutMs } = context
  const began = clock.monotonic()
  const deadline = began + Math.min(lockTimeoutMs, context.remainingMs() - STATEMENT_MARGIN_MS)
  const patience: Patience = { began, deadline, whenHeld }
  for (;;) {
    try {
      return await openWritable(context, patience)
    } catch (error) {
      if (!(error instanceof ConnectionLostError)) throw error
      if (clock.monotonic() >= patience.deadline) throw lostError(error)
      context.log.warn('the session was ended before it had the lock; connecting again', { reason: error.message })
      await clock.sleep(pollPause(0))
    }
  }
}

function lostError(cause: ConnectionLostError): LockstepError {
  return new LockstepError({
    code: 'DATABASE_UNREACHABLE',
    message: `The connection to the database was lost before the run began: ${cause.message}.`,
    state: UNTOUCHED,
    remedy: 'Look in the server log for why it ended, and at the network between; then run it again.',
    cause,
  })
}

async function openWritable(context: EngineContext, patience: Patience): Promise<Session> {
  const { clock, connectTimeoutMs = 0 } = context
  const deadline = clock.monotonic() + Math.min(connectTimeoutMs, context.remainingMs() - STATEMENT_MARGIN_MS)
  for (let attempt = 0; ; attempt += 1) {
    const connection = await context.connect()
    const found = await openOn(connection, context, patience).catch(async (error: unknown) => {
      await connection.close()
      throw error
    })
    if (!(found instanceof LockstepError)) return found
    await release(connection, lockKey(context.schema, context.set))
    const pause = pollPause(attempt)
    if (clock.monotonic() + pause > deadline) throw found
    if (attempt === 0) context.log.warn('the server is read-only; connecting again', { reason: found.message })
    await clock.sleep(pause)
  }
}

/** The session with the lock, or why the server cannot be written to. */
async function openOn(
  connection: Connection,
  context: EngineContext,
  patience: Patience,
): Promise<Session | LockstepError> {
  const key = lockKey(context.schema, context.set)
  const ask = `SELECT pg_catalog.pg_try_advisory_lock(${key}) AS locked, pg_catalog.current_database() AS database,
  ${historyReadySql(context.schema)} AS ready, pg_catalog.pg_backend_pid() AS backend, ${READ_ONLY_SQL} AS read_only`
  const first = (await connection.execute(`${sessionSettingsSql(context)};\n${ask}`)).at(-1)?.rows[0]
  const readOnly = readOnlyError(connection, first?.read_only)
  if (readOnly !== null) return readOnly
  const backend = Number(first?.backend)
  // A pooler makes up process ids of its own.
  if (backend !== connection.processId)
    await refuseChangingServerSession(context, { connection, backend, lockKey: key })
  const last = await waitForLock(connection, context, { key, ask, first, patience })
  return {
    connection: { ...connection, processId: backend },
    database: String(last?.database),
    ready: last?.ready === true,
    release: () => release(connection, key),
  }
}

async function waitForLock(
  connection: Connection,
  context: EngineContext,
  wait: { readonly key: string; readonly ask: string; readonly first: Row | undefined; readonly patience: Patience },
): Promise<Row | undefined> {
  const { clock } = context
  const { key, ask, first, patience } = wait
  let row = first
  for (let attempt = 0; row?.locked !== true; attempt += 1) {
    if (attempt === 0) {
      context.log.info('waiting for another run of the same set to end', { set: context.set })
      if (await patience.whenHeld?.(connection))
        patience.deadline = clock.monotonic() + context.remainingMs() - STATEMENT_MARGIN_MS
    }
    if (clock.monotonic() >= patience.deadline) {
      const waitedMs = Math.max(0, patience.deadline - patience.began)
      throw await heldLockError(connection, context, { key, waitedMs })
    }
    await clock.sleep(pollPause(attempt))
    row = (await connection.execute(ask)).at(-1)?.rows[0]
  }
  return row
}

function pollPause(attempt: number): number {
  return Math.min(LONGEST_POLL_MS, FIRST_POLL_MS * 1.5 ** attempt) * (0.75 + Math.random() / 2)
}

async function release(connection: Connection, key: string): Promise<void> {
  // Unlocking by hand, because behind a pooler the server's session may outlive ours.
  if (connection.isOpen()) await connection.execute(`SELECT pg_catalog.pg_advisory_unlock(${key})`).catch(() => [])
  await connection.close()
}
