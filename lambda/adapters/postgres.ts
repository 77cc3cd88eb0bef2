import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { ConnectionLostError, SqlError, type Connection, type ResultSet, type Row } from '../engine/database.ts'
import { LockstepError, messageOf, UNTOUCHED } from '../errors.ts'

/** Where and as whom to connect. */
export interface Endpoint {
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
  readonly password: string
  /** `false` for no TLS; otherwise the trusted certificates (PEM) and whether name and chain are checked. */
  readonly tls: false | { readonly verify: boolean; readonly authorities?: readonly string[] }
}

export interface ConnectOptions {
  /** `anew` after a failed attempt: read again what may have changed, such as a password that was rotated. */
  readonly endpoint: (anew: boolean) => Promise<Endpoint>
  /** What a rotation in progress is about to make the credentials; null outside of one. @default no rotation */
  readonly pending?: () => Promise<Endpoint | null>
  /** Shown in `pg_stat_activity`. */
  readonly applicationName: string
  /** How long to go on trying while the server is starting, failing over or out of connections. Milliseconds. */
  readonly budgetMs: number
  /** When there must be a session or an error, also in the middle of an attempt. Milliseconds. @default never */
  readonly withinMs?: number
  /** Another database on the same server. @default the endpoint's */
  readonly database?: string
}

const ATTEMPT_TIMEOUT_MS = 10_000
/** A silent server is asked whether it is still there. Linux waits for two hours before; then ten seconds are enough. */
const KEEP_ALIVE_MS = 30_000
const PAUSE_MS = 250
const LONGEST_PAUSE_MS = 2000
/** A rotation's steps between the new password and its being the current one take seconds. */
const ROTATION_MS = 15_000

/**
 * Opens a driver session, retrying only the connect, and only for reasons that pass: refused, reset, timed out,
 * name not found, starting up, too many connections; a wrong password while the secret may be in rotation.
 *
 * @throws LockstepError `DATABASE_UNREACHABLE`.
 */
export async function openClient(options: ConnectOptions): Promise<pg.Client> {
  const { budgetMs, withinMs = Infinity } = options
  const began = performance.now()
  const spent = (): number => performance.now() - began
  const refused = new Set<string>()
  let endpoint = await options.endpoint(false)
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await attemptConnect(endpoint, options, withinMs - spent())
    } catch (error) {
      const pause = Math.min(LONGEST_PAUSE_MS, PAUSE_MS * 2 ** (attempt - 1)) * (0.75 + Math.random() / 2)
      const patience = Math.min(withinMs, isWrongPassword(error) ? rotationPatience(options, attempt) : budgetMs)
      const worthRetrying = isWrongPassword(error) || isPassing(error)
      if (!worthRetrying || spent() + pause > patience) throw unreachable(endpoint, options, error, attempt)
      if (isWrongPassword(error)) refused.add(credentialsOf(endpoint))
      await delay(pause)
      const next = await within(nextEndpoint(options, refused), withinMs - spent())
      if (next === null) throw unreachable(endpoint, options, error, attempt)
      endpoint = next
    }
  }
}

/** What the work gives; null when it takes longer. */
async function within<T>(work: Promise<T>, ms: number): Promise<T | null> {
  if (ms === Infinity) return work
  const timer = new AbortController()
  try {
    return await Promise.race([work, delay(Math.max(1, ms), null, { signal: timer.signal })])
  } finally {
    timer.abort()
  }
}

/** How long after the start a wrong password is tried again; without a rotation once, for what was read too early. */
function rotationPatience({ budgetMs, pending }: ConnectOptions, attempt: number): number {
  if (pending === undefined) return attempt === 1 ? budgetMs : 0
  return Math.min(budgetMs, ROTATION_MS)
}

/** A rotation sets the new password in the database first, and calls it the current one only seconds later. */
async function nextEndpoint(options: ConnectOptions, refused: ReadonlySet<string>): Promise<Endpoint> {
  const current = await options.endpoint(true)
  if (!refused.has(credentialsOf(current))) return current
  const pending = (await options.pending?.()) ?? null
  return pending === null || refused.has(credentialsOf(pending)) ? current : pending
}

function credentialsOf({ user, password }: Endpoint): string {
  return JSON.stringify([user, password])
}

async function attemptConnect(endpoint: Endpoint, options: ConnectOptions, leftMs: number): Promise<pg.Client> {
  const client = new pg.Client({
    host: endpoint.host,
    port: endpoint.port,
    database: options.database ?? endpoint.database,
    user: endpoint.user,
    password: endpoint.password,
    // Kept out of the start-up packet's options: a pooler such as RDS Proxy refuses those.
    application_name: options.applicationName,
    // Zero would be no timeout at all.
    connectionTimeoutMillis: Math.max(1, Math.min(ATTEMPT_TIMEOUT_MS, leftMs)),
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    ssl: tlsOptions(endpoint),
  })
  // An idle session's loss is noticed by the next statement; without a listener Node would end the process.
  client.on('error', () => {})
  try {
    await client.connect()
    return client
  } catch (error) {
    await client.end().catch(() => {})
    throw error
  }
}

function tlsOptions({ tls }: Endpoint): pg.ClientConfig['ssl'] {
  if (tls === false) return false
  return {
    rejectUnauthorized: tls.verify,
    ...(tls.authorities === undefined ? {} : { ca: [...tls.authorities] }),
  }
}

const PASSING_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ETIMEDOUT',
  'EPIPE',
  'EHOSTUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
])
// cannot_connect_now, admin_shutdown, crash_shutdown, too_many_connections (PostgreSQL, appendix A)
const PASSING_STATES = new Set(['57P03', '57P01', '57P02', '53300'])

function isPassing(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(isPassing)
  const code = codeOf(error)
  // Dropped or renamed a moment ago, as a restore does: it may have a new one of the name. A name that is wrong has no detail.
  if (error instanceof pg.DatabaseError && code === '3D000') return error.detail !== undefined
  return PASSING_CODES.has(code) || PASSING_STATES.has(code) || /timeout expired|terminated/i.test(messageOf(error))
}

function isWrongPassword(error: unknown): boolean {
  return codeOf(error) === '28P01'
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

function unreachable(endpoint: Endpoint, options: ConnectOptions, error: unknown, attempts: number): LockstepError {
  const where = `${endpoint.host}:${endpoint.port}/${options.database ?? endpoint.database}`
  const tries = attempts === 1 ? '' : ` after ${attempts} attempts`
  return new LockstepError({
    code: 'DATABASE_UNREACHABLE',
    message: `Cannot connect to PostgreSQL at ${where} as ${endpoint.user}${tries}: ${messageOf(error)}.`,
    state: UNTOUCHED,
    remedy: remedyFor(codeOf(error), messageOf(error), endpoint),
    ...(error instanceof pg.DatabaseError && error.code !== undefined ? { sqlState: error.code } : {}),
    cause: error,
  })
}

function remedyFor(code: string, message: string, endpoint: Endpoint): string {
  if (code === '28P01' || code === '28000') return `Check the user name and the password for "${endpoint.user}".`
  if (code === '3D000') return 'Create the database first ("init" does), or correct its name.'
  if (code === '53300') return 'Free connections on the server, or raise max_connections.'
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return `Check the host name "${endpoint.host}" and the network's DNS.`
  if (/does not support SSL/i.test(message))
    return "Switch TLS on at the server, or off here (sslmode=disable, or the construct's tls: 'disable')."
  if (/certificate|self.signed|altname/i.test(message)) {
    return "The server's certificate is not trusted: check the host name, or give the certificate authority that signed it."
  }
  return 'Check that the server is up, and that security groups, routes and the port let this client reach it.'
}

/** Opens a session as the engine sees it. @throws LockstepError `DATABASE_UNREACHABLE`. */
export async function connect(options: ConnectOptions): Promise<Connection> {
  return toConnection(await openClient(options))
}

/** Wraps a connected driver client. */
export function toConnection(client: pg.Client): Connection {
  let open = true
  const lose = (): void => void (open = false)
  // Without its socket the server ends the session, and what it holds: half a session would lock us out ourselves.
  const abandon = (): void => {
    open = false
    ;(client as unknown as { readonly connection: { readonly stream: Socket } }).connection.stream.destroy()
  }
  client.once('end', lose)
  client.once('error', lose)
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    if (!open) throw new ConnectionLostError('The connection was already closed.')
    try {
      return await work()
    } catch (error) {
      if (isFatal(error)) abandon()
      throw translate(error, open)
    }
  }
  return {
    processId: (client as unknown as { readonly processID: number }).processID,
    server: `${client.host}:${client.port}`,
    isOpen: () => open,
    isInTransaction: () => ['T', 'E'].includes(client.getTransactionStatus() ?? 'I'),
    abandon,
    execute: (sql) => guarded(async () => toResultSets(await client.query(sql))),
    query: (sql, parameters = []) => guarded(async () => toResultSet(await client.query(sql, [...parameters]))),
    close: async () => {
      if (open) await client.end().catch(() => {})
      open = false
    },
  }
}

/** A FATAL error ends the session; so does the socket's. Everything else is an answer, whatever its SQLSTATE. */
function isFatal(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return error.severity === 'FATAL' || error.severity === 'PANIC'
  return PASSING_CODES.has(codeOf(error)) || /connection terminated|not queryable/i.test(messageOf(error))
}

function translate(error: unknown, open: boolean): unknown {
  if (!open) return new ConnectionLostError(messageOf(error), { cause: error })
  if (!(error instanceof pg.DatabaseError)) return error
  return new SqlError(error.message, {
    sqlState: error.code ?? 'XX000',
    position: error.position === undefined ? null : Number(error.position),
    detail: error.detail ?? null,
    hint: error.hint ?? null,
    where: error.where ?? null,
  })
}

function toResultSets(result: pg.QueryResult | pg.QueryResult[]): readonly ResultSet[] {
  return Array.isArray(result) ? result.map(toResultSet) : [toResultSet(result)]
}

function toResultSet(result: pg.QueryResult): ResultSet {
  return { rows: result.rows as readonly Row[], rowCount: result.rowCount ?? 0 }
}
