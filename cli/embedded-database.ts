import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client, DatabaseError } from 'pg'
import { quoteIdentifier } from '../lambda/engine/database.ts'
import { LockstepError, messageOf, UNTOUCHED } from '../lambda/errors.ts'
import { startEmbeddedPostgres, type EmbeddedPostgres, type EmbeddedPostgresOptions } from './embedded-postgres.ts'

const DEFAULT_DATABASE = 'app'

export interface EmbeddedDatabaseOptions extends Omit<EmbeddedPostgresOptions, 'directory'> {
  /** The database's name. @default 'app' */
  readonly database?: string
}

/**
 * Starts the embedded server under `<directory>/postgres`, or attaches to it, and makes its database on first use.
 * The `url` is that of the database.
 *
 * @throws LockstepError `DATABASE_UNREACHABLE`.
 */
export async function openEmbeddedDatabase(
  directory: string,
  { database = DEFAULT_DATABASE, ...options }: EmbeddedDatabaseOptions = {},
): Promise<EmbeddedPostgres> {
  await mkdir(directory, { recursive: true })
  // Nothing in it is anybody's source.
  await writeFile(join(directory, '.gitignore'), '*\n')
  const server = await startEmbeddedPostgres({ ...options, directory: join(directory, 'postgres') })
  try {
    await createDatabase(server.url, database)
  } catch (error) {
    await server.stop()
    throw unusable(database, error)
  }
  const url = new URL(server.url)
  url.pathname = `/${database}`
  return { url: url.href, stop: server.stop }
}

// duplicate_database and unique_violation: another command made it in the same moment.
const EXISTS = new Set(['42P04', '23505'])

async function createDatabase(serverUrl: string, database: string): Promise<void> {
  const client = new Client({ connectionString: serverUrl })
  await client.connect()
  try {
    const found = await client.query('SELECT FROM pg_catalog.pg_database WHERE datname = $1', [database])
    if (found.rowCount === 0) await client.query(`CREATE DATABASE ${quoteIdentifier(database)}`)
  } catch (error) {
    if (!(error instanceof DatabaseError && EXISTS.has(error.code ?? ''))) throw error
  } finally {
    await client.end()
  }
}

function unusable(database: string, error: unknown): LockstepError {
  return new LockstepError({
    code: 'DATABASE_UNREACHABLE',
    message: `The embedded PostgreSQL has started, but its database "${database}" cannot be made: ${messageOf(error)}.`,
    state: UNTOUCHED,
    remedy: 'Delete the .lockstep directory to begin with an empty one, or give --database-url.',
    cause: error,
  })
}
