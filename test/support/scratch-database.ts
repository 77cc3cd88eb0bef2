import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { connect, type Endpoint } from '../../lambda/adapters/postgres.ts'
import type { Connection } from '../../lambda/engine/database.ts'

/** Takes what is to be done when whoever uses it is through: a test runner's hook, or a list. */
export type Defer = (cleanup: () => Promise<void>) => void

export interface TestDatabase {
  readonly name: string
  readonly url: string
  readonly endpoint: () => Promise<Endpoint>
  /** A session that is closed when the test ends. */
  readonly connect: (applicationName?: string) => Promise<Connection>
  /** One statement or several on a session of its own; the rows of the last. */
  readonly rows: (sql: string) => Promise<readonly Record<string, unknown>[]>
}

/** Makes an empty database on a server; it is dropped at the end. */
export async function createScratchDatabase(serverUrl: string, defer: Defer): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '').slice(0, 16)}`
  await rowsOf(serverUrl, `CREATE DATABASE ${name} TEMPLATE template0`)
  defer(async () => void (await rowsOf(serverUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)))
  return scratchDatabaseAt(serverUrl, name, defer)
}

/** The handle of a database that exists already, such as one that a restore made. */
export function scratchDatabaseAt(serverUrl: string, name: string, defer: Defer): TestDatabase {
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  const endpoint = async (): Promise<Endpoint> => endpointOf(url)
  return {
    name,
    url: url.href,
    endpoint,
    connect: async (applicationName = 'test') => {
      const connection = await connect({ endpoint, applicationName, budgetMs: 5000 })
      defer(() => connection.close())
      return connection
    },
    rows: (sql) => rowsOf(url.href, sql),
  }
}

function endpointOf(url: URL): Endpoint {
  return {
    host: url.hostname,
    port: Number(url.port),
    database: url.pathname.slice(1),
    user: url.username,
    password: url.password,
    tls: false,
  }
}

/** Runs one statement or several on a session of its own; the rows of the last. */
export async function rowsOf(url: string, sql: string): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  // A session that a test ends from outside reports it here as well as to its query.
  client.on('error', () => {})
  await client.connect()
  try {
    const result = (await client.query(sql)) as pg.QueryResult | pg.QueryResult[]
    const last = Array.isArray(result) ? result.at(-1) : result
    return (last?.rows ?? []) as Record<string, unknown>[]
  } finally {
    await client.end()
  }
}
