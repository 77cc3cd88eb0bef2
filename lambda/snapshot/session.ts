import type { Socket } from 'node:net'
import type pg from 'pg'

/** For a session that can be done without: the first refusal is final. @default a passing reason is waited out */
export type Patience = 'none'

/** Opens a session that is closed when the work ends. Another database of the same server can be named. */
export type OpenSession = (database?: string, patience?: Patience) => Promise<pg.Client>

export interface SessionSource {
  /** Connected; the caller ends it. */
  readonly openClient: OpenSession
  readonly signal?: AbortSignal | undefined
}

/**
 * Runs `work` with sessions that are ended after it: politely when it succeeded, by cutting the socket when it failed
 * or was aborted, because a session in the middle of a COPY cannot say goodbye.
 *
 * @param work Is given a way to open a session, and one to cut all that are open: the reason is what is thrown then.
 */
export async function withSessions<T>(
  source: SessionSource,
  work: (open: OpenSession, cut: (reason: unknown) => void) => Promise<T>,
): Promise<T> {
  const clients: pg.Client[] = []
  const reasons: unknown[] = []
  const cut = (): void => clients.forEach((client) => void socketOf(client).destroy())
  const throwIfCut = (): void => {
    source.signal?.throwIfAborted()
    if (reasons.length > 0) throw reasons[0]
  }
  source.signal?.addEventListener('abort', cut, { once: true })
  try {
    const result = await work(
      async (database, patience) => {
        throwIfCut()
        const client = await source.openClient(database, patience)
        clients.push(client)
        // Meanwhile the others may have been cut: this one must not go on alone.
        throwIfCut()
        return client
      },
      (reason) => {
        reasons.push(reason)
        cut()
      },
    )
    await Promise.all(clients.map(async (client) => client.end()))
    return result
  } catch (error) {
    // What is thrown may only be the consequence.
    throw reasons.length > 0 ? reasons[0] : error
  } finally {
    source.signal?.removeEventListener('abort', cut)
    cut()
  }
}

/** The driver keeps its socket to itself, and its types say nothing of it. */
export function socketOf(client: pg.Client): Socket {
  return (client as unknown as { readonly connection: { readonly stream: Socket } }).connection.stream
}

/** How long a snapshot or restore waits for a lock: it must not queue for ever behind somebody's DDL. */
export const LOCK_TIMEOUT_MS = 30_000

/**
 * Settings under which text means the same on both sides, as pg_dump has them. `lc_monetary` is added: pg_dump leaves
 * it alone, and then money written under one locale is read wrongly under another.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  search_path: '',
  datestyle: 'ISO',
  intervalstyle: 'postgres',
  lc_monetary: 'C',
  extra_float_digits: '3',
  standard_conforming_strings: 'on',
  default_transaction_read_only: 'off',
  row_security: 'off',
  synchronize_seqscans: 'off',
  statement_timeout: '0',
  lock_timeout: String(LOCK_TIMEOUT_MS),
  idle_in_transaction_session_timeout: '0',
  idle_session_timeout: '0',
  transaction_timeout: '0',
  client_min_messages: 'warning',
  // What waits for a lock notices only then that the process is gone, and gives back the locks that it has.
  client_connection_check_interval: '5s',
}

/** Puts the session into the state in which data and schema are written and read. One round trip. */
export async function prepareSession(client: pg.Client, more: Readonly<Record<string, string>> = {}): Promise<void> {
  const settings = { ...SETTINGS, ...more }
  // The join leaves out what an older server does not know.
  await client.query(
    `SELECT pg_catalog.set_config(wanted.name, wanted.value, false)
       FROM unnest($1::text[], $2::text[]) AS wanted (name, value)
       JOIN pg_catalog.pg_settings AS known ON lower(known.name) = wanted.name`,
    [Object.keys(settings), Object.values(settings)],
  )
}
