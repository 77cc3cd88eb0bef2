import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../cli/embedded-postgres.ts'
import { isAlive } from '../../cli/embedded-users.ts'
import { startFaultProxy, type FaultProxy } from './fault-proxy.ts'

/** What the checks call themselves, beside what they check. */
export const OWN_NAME = 'chaos'

export type Row = Readonly<Record<string, unknown>>

/** A PostgreSQL server that can be crashed, and the proxy in front of it. */
export interface ChaosServer {
  readonly proxy: FaultProxy
  /** URL of a database; `proxied` goes through the proxy. */
  readonly url: (database: string, way?: 'direct' | 'proxied') => string
  /** Ends the server with a signal and starts it again. */
  readonly restart: (signal: 'SIGQUIT' | 'SIGKILL', awayMs: number) => Promise<void>
  /** Runs statements past the proxy; the rows of the last. */
  readonly query: (database: string, sql: string) => Promise<readonly Row[]>
  readonly stop: () => Promise<void>
}

/** What was committed survives a crash of the server; that of the machine is not tried. */
const SETTINGS = {
  fsync: 'off',
  full_page_writes: 'off',
  max_connections: '50',
  deadlock_timeout: '200ms',
  // What makes a server start sooner.
  shared_buffers: '16MB',
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_wal_size: '256MB',
  jit: 'off',
}
const START_PATIENCE_MS = 20_000

export async function startChaosServer(directory: string): Promise<ChaosServer> {
  const proxy = await startFaultProxy()
  let server = await startEmbeddedPostgres({ directory, settings: SETTINGS })
  proxy.aimAt(Number(new URL(server.url).port))
  const url: ChaosServer['url'] = (database, way = 'direct') => {
    const found = new URL(server.url)
    found.pathname = `/${database}`
    if (way === 'proxied') found.port = String(proxy.port)
    return found.href
  }
  const sessions = keepSessions(url)
  return {
    proxy,
    url,
    restart: async (signal, awayMs) => {
      sessions.forget()
      await end(directory, signal)
      // Forgets the server that is gone; another one is attached to below.
      await server.stop()
      await delay(awayMs)
      server = await startAgain(directory)
      proxy.aimAt(Number(new URL(server.url).port))
    },
    query: sessions.query,
    stop: async () => {
      await proxy.close()
      await server.stop({ abort: true })
    },
  }
}

async function end(directory: string, signal: 'SIGQUIT' | 'SIGKILL'): Promise<void> {
  const [processId] = (await readFile(join(directory, 'data', 'postmaster.pid'), 'utf8')).split('\n')
  process.kill(Number(processId), signal)
  while (isAlive(Number(processId))) await delay(5)
}

/** After a SIGKILL the sessions of the old server may still be there, and the new one refuses to share their memory. */
async function startAgain(directory: string): Promise<EmbeddedPostgres> {
  const deadline = performance.now() + START_PATIENCE_MS
  for (;;) {
    try {
      return await startEmbeddedPostgres({ directory, settings: SETTINGS })
    } catch (error) {
      if (performance.now() > deadline) throw error
      await delay(50)
    }
  }
}

type Query = ChaosServer['query']

/** One session for each database, kept while it lives: connecting takes longer than most of what is asked. */
function keepSessions(url: (database: string) => string): { readonly query: Query; readonly forget: () => void } {
  const sessions = new Map<string, pg.Client>()
  const open = async (database: string): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: url(database), application_name: OWN_NAME })
    const forget = (): void => {
      if (sessions.get(database) === client) sessions.delete(database)
    }
    client.on('error', forget)
    client.on('end', forget)
    await client.connect()
    sessions.set(database, client)
    return client
  }
  const query: Query = async (database, sql) => {
    const client = sessions.get(database) ?? (await open(database))
    try {
      const result = (await client.query(sql)) as pg.QueryResult<Row> | pg.QueryResult<Row>[]
      return (Array.isArray(result) ? result.at(-1) : result)?.rows ?? []
    } catch (error) {
      // Statements that failed, or a server that has gone: what the session has become is not worth finding out.
      sessions.delete(database)
      client.end().catch(() => {})
      throw error
    }
  }
  return { query, forget: () => sessions.clear() }
}
