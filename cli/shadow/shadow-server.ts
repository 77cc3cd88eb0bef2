import { randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type pg from 'pg'
import { endpointFromUrl } from '../../lambda/adapters/endpoint.ts'
import { openClient, toConnection, type ConnectOptions } from '../../lambda/adapters/postgres.ts'
import { quoteIdentifier, quoteLiteral, type Connection } from '../../lambda/engine/database.ts'
import { LockstepError, UNTOUCHED, type ErrorCode } from '../../lambda/errors.ts'
import { checkDatabaseUrl } from '../database-url.ts'
import { startEmbeddedPostgres } from '../embedded-postgres.ts'
import { dropAllBut, dropRoles } from './leftovers.ts'

/** A server on which everything may be tried: an embedded one that is thrown away, or a scratch server that was given. */
export interface ShadowServer {
  /** PostgreSQL's major version. */
  readonly major: number
  /** Whether nobody else uses it: then what all its databases share, such as roles, is ours as well. */
  readonly isOwn: boolean
  /** Makes an empty database, or a copy of one that nobody is connected to. Gives its name. Dropped at the end at the latest. */
  readonly createDatabase: (options?: { readonly name?: string; readonly template?: string }) => Promise<string>
  readonly dropDatabase: (name: string) => Promise<void>
  /** Makes those of the roles that are missing, with every right, so that nothing fails for want of one. Gives which. */
  readonly createRoles: (names: readonly string[]) => Promise<readonly string[]>
  /** The roles that were made here so far. */
  readonly madeRoles: () => readonly string[]
  /** Notes roles that migrations make: those that are not there yet are dropped with the rest. */
  readonly expectRoles: (names: readonly string[]) => Promise<void>
  /**
   * Drops what migrations made beside their database, so that they can be replayed: of a server of our own everything, of
   * one that others use the roles that were expected.
   */
  readonly dropLeftovers: () => Promise<void>
  /** A driver session on one of its databases. */
  readonly openClient: (database: string) => Promise<pg.Client>
  /** A session on one of its databases, as the engine sees it. */
  readonly connect: (database: string) => Promise<Connection>
  /** Drops what was made here, and the embedded server with it. */
  readonly stop: () => Promise<void>
}

export interface ShadowServerOptions {
  /** Major version of the embedded server. @default 18 */
  readonly major?: number | undefined
  /** URL of a scratch server, whose user may create databases and roles. @default an embedded server */
  readonly url?: string | null | undefined
  /** Stops the server at once, and what works on it with it. @default nobody does */
  readonly signal?: AbortSignal | undefined
}

const CONNECT_BUDGET_MS = 10_000

const SETTINGS = {
  autovacuum: 'off',
  max_connections: '40',
  max_wal_size: '4GB',
  checkpoint_timeout: '1h',
  max_locks_per_transaction: '1024',
  // CREATE SUBSCRIPTION, and publications that a migration tries out.
  wal_level: 'logical',
}

/**
 * Starts the server that migrations are tried on.
 *
 * @throws LockstepError `DATABASE_UNREACHABLE`, `CONFIG_INVALID` for a major that there is no server of.
 */
export async function startShadowServer({ major, url, signal }: ShadowServerOptions = {}): Promise<ShadowServer> {
  const server = await startEither({ major, url })
  const stop = (): void => void server.stop().catch(() => {})
  if (signal?.aborted === true) stop()
  signal?.addEventListener('abort', stop, { once: true })
  return server
}

async function startEither({ major, url }: ShadowServerOptions): Promise<ShadowServer> {
  if (url !== undefined && url !== null) {
    checkDatabaseUrl(url)
    return serverAt(url, { wanted: major ?? null, isOwn: false, end: async () => {} })
  }
  const directory = await mkdtemp(join(tmpdir(), 'lockstep-shadow-'))
  // For a command that is ended at once.
  const removeOnExit = (): void => rmSync(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 })
  process.once('exit', removeOnExit)
  const remove = async (): Promise<void> => {
    process.off('exit', removeOnExit)
    await rm(directory, { recursive: true, force: true })
  }
  try {
    const ofMajor = major === undefined ? {} : { major }
    const embedded = await startEmbeddedPostgres({ directory, ...ofMajor, unsafe: true, settings: SETTINGS })
    // The server is told to stop first, which is known by a file in the directory.
    process.off('exit', removeOnExit)
    process.once('exit', removeOnExit)
    const end = async (): Promise<void> => {
      await embedded.stop({ abort: true })
      await remove()
    }
    return await serverAt(embedded.url, { wanted: null, isOwn: true, end }).catch(async (error: unknown) => {
      await embedded.stop({ abort: true })
      throw error
    })
  } catch (error) {
    await remove()
    throw forShadow(error)
  }
}

async function serverAt(
  url: string,
  {
    wanted,
    isOwn,
    end,
  }: { readonly wanted: number | null; readonly isOwn: boolean; readonly end: () => Promise<void> },
): Promise<ShadowServer> {
  const options = (database?: string): ConnectOptions => ({
    endpoint: async () => endpointFromUrl(url),
    applicationName: 'lockstep shadow',
    budgetMs: CONNECT_BUDGET_MS,
    ...(database === undefined ? {} : { database }),
  })
  const openOn = async (database?: string): Promise<pg.Client> => openClient(options(database))
  const admin = toConnection(await openOn())
  const major = await majorOf(admin)
  if (wanted !== null && wanted !== major) {
    await admin.close()
    throw otherMajor(wanted, major)
  }
  const databases = new Set<string>()
  const roles = new Set<string>()
  const expected = new Set<string>()
  const dropDatabase = async (name: string): Promise<void> => {
    await admin.execute(`DROP DATABASE IF EXISTS ${quoteIdentifier(name)} WITH (FORCE)`)
    databases.delete(name)
  }
  const stop = async (): Promise<void> => {
    if (!isOwn) {
      for (const name of databases) await dropDatabase(name).catch(() => {})
      await dropRoles(admin, [...roles, ...expected]).catch(() => {})
    }
    await admin.close()
    await end()
  }
  let stopping: Promise<void> | null = null
  return {
    major,
    createDatabase: async ({ name = `shadow_${randomUUID().slice(0, 13)}`, template = 'template0' } = {}) => {
      await admin.execute(`CREATE DATABASE ${quoteIdentifier(name)} TEMPLATE ${quoteIdentifier(template)}`)
      databases.add(name)
      return name
    },
    isOwn,
    dropDatabase,
    madeRoles: () => [...roles],
    expectRoles: async (names) => {
      for (const name of await absentOf(admin, names)) expected.add(name)
    },
    dropLeftovers: () =>
      isOwn
        ? dropAllBut(admin, { roles: ['postgres', ...roles], databases: ['postgres', ...databases] })
        : dropRoles(admin, [...expected]),
    createRoles: async (names) => {
      const made = await createRoles(admin, names)
      for (const name of made) roles.add(name)
      return made
    },
    openClient: openOn,
    connect: async (database) => toConnection(await openOn(database)),
    stop: () => (stopping ??= stop()),
  }
}

async function majorOf(connection: Connection): Promise<number> {
  const { rows } = await connection.query(`SELECT pg_catalog.current_setting('server_version_num')::int AS version`)
  return Math.floor(Number(rows[0]?.version) / 10_000)
}

async function createRoles(admin: Connection, names: readonly string[]): Promise<readonly string[]> {
  const missing = await absentOf(
    admin,
    names.filter((name) => name !== '' && !name.startsWith('pg_')),
  )
  for (const name of missing) {
    // Two commands may share a scratch server: "IF NOT EXISTS", which roles do not have.
    await admin.execute(`DO $do$ BEGIN EXECUTE ${quoteLiteral(`CREATE ROLE ${quoteIdentifier(name)} SUPERUSER`)};
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $do$`)
  }
  return missing
}

/** Those of the roles that the server does not have. */
async function absentOf(admin: Connection, names: readonly string[]): Promise<readonly string[]> {
  const wanted = [...new Set(names)]
  if (wanted.length === 0) return []
  const { rows } = await admin.query('SELECT rolname FROM pg_catalog.pg_roles WHERE rolname = ANY ($1)', [wanted])
  const there = new Set(rows.map((row) => row.rolname))
  return wanted.filter((name) => !there.has(name))
}

/** Here it is another option that names a server of one's own. */
function forShadow(error: unknown): unknown {
  if (!(error instanceof LockstepError)) return error
  const { report } = error
  const remedy = report.remedy.replace(/--database-url(?: \(or LOCKSTEP_DATABASE_URL\))?/, '--shadow-url')
  return new LockstepError({ ...report, code: report.code as ErrorCode, remedy, cause: error })
}

function otherMajor(wanted: number, found: number): LockstepError {
  return new LockstepError({
    code: 'CONFIG_INVALID',
    message: `PostgreSQL ${wanted} is wanted, but the server of --shadow-url is PostgreSQL ${found}.`,
    state: UNTOUCHED,
    remedy: 'Give the URL of a server of that version, or leave out --postgres.',
  })
}
