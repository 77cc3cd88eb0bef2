import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../cli/embedded-postgres.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import type { ServerKind } from './scenario.ts'
import { startSleepingProxy } from './sleeping-proxy.ts'

/** The PostgreSQL of one scenario. */
export interface ScenarioServer {
  readonly url: string
  /** The port by which the functions reach it, when it is not the server's. */
  readonly port?: number
  /** Nobody else uses it, and it goes with the scenario. */
  readonly isDisposable: boolean
  /** Cuts all connections, ends the server and starts it again after a while. Only a server of the scenario's own can. */
  readonly restart: (awayMs: number) => Promise<void>
  /** Starts the server again as a read-only replica. Only a server of the scenario's own can. */
  readonly becomeReplica: () => Promise<void>
  readonly stop: () => Promise<void>
}

export async function startScenarioServer(kind: ServerKind, sharedUrl: string): Promise<ScenarioServer> {
  if (kind === 'shared') return shared(sharedUrl)
  if (kind === 'own') return own()
  const proxy = await startSleepingProxy(Number(new URL(sharedUrl).port))
  return { ...shared(sharedUrl), port: proxy.port, stop: proxy.close }
}

async function refused(): Promise<void> {
  throw new Error('The shared server is not to be restarted')
}

function shared(url: string): ScenarioServer {
  return {
    url,
    isDisposable: false,
    restart: refused,
    becomeReplica: refused,
    stop: async () => {},
  }
}

/** What looks at a server that is full needs several sessions of its own. */
const SETTINGS = { max_connections: '50', superuser_reserved_connections: '15' }

/** Always reached through the proxy, whose port stays the same when the server comes back on another. */
async function own(): Promise<ScenarioServer> {
  const directory = await mkdtemp(join(tmpdir(), 'lockstep-scenario-'))
  const start = (): Promise<EmbeddedPostgres> => startEmbeddedPostgres({ directory, unsafe: true, settings: SETTINGS })
  let server = await start()
  const proxy = await startTcpProxy(portOf(server.url))
  const restart = async (awayMs: number): Promise<void> => {
    proxy.cut()
    await server.stop({ abort: true })
    await delay(awayMs)
    server = await start()
    proxy.aimAt(portOf(server.url))
  }
  const url = new URL(server.url)
  url.port = String(proxy.port)
  return {
    url: url.href,
    isDisposable: true,
    restart,
    becomeReplica: async () => {
      await writeFile(join(directory, 'data', 'standby.signal'), '')
      await restart(0)
    },
    stop: async () => {
      await proxy.close()
      await server.stop({ abort: true })
      await rm(directory, { recursive: true, force: true })
    },
  }
}

function portOf(url: string): number {
  return Number(new URL(url).port)
}
