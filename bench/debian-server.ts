import { mkdir, chown } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort, runToEnd, SERVER_USER_ID, startServer, stopServer } from '../cli/embedded-process.ts'
import { runProgram } from './process.ts'

const BOOT_TIMEOUT_MS = 60_000

/** Larger than the default, so that checkpoints and cold pages do not blur what is measured. */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  shared_buffers: '512MB',
  max_wal_size: '4GB',
  max_locks_per_transaction: '256',
  fsync: 'off',
  autovacuum: 'off',
}

/**
 * Runs `work` on a fresh server of the same version as the pg_dump on the PATH, which refuses newer ones.
 *
 * @param work Is given the server's URL, which takes no password and no TLS.
 */
export async function withDebianServer<T>(directory: string, work: (url: URL) => Promise<T>): Promise<T> {
  const bin = await binaryDirectory()
  const tools = { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres') }
  const data = join(directory, 'server')
  await mkdir(data, { mode: 0o700 })
  if (process.getuid?.() === 0) await chown(data, SERVER_USER_ID, SERVER_USER_ID)
  const made = await runToEnd(tools, tools.initdb, [
    '--pgdata',
    data,
    '--username=postgres',
    '--auth=trust',
    '--encoding=UTF8',
    '--locale=C.UTF-8',
    '--no-sync',
  ])
  if (made.status !== 0) throw new Error(`initdb failed: ${made.output}`)
  const port = await freePort()
  const settings = Object.entries(SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const options = { logFile: join(directory, 'server.log'), timeoutMs: BOOT_TIMEOUT_MS }
  const { processId, log } = await startServer(tools, ['-D', data, '-p', String(port), ...settings], options)
  if (processId === null) throw new Error(`the server did not start: ${log}`)
  try {
    return await work(new URL(`postgres://postgres@127.0.0.1:${port}/postgres?sslmode=disable`))
  } finally {
    await stopServer(processId, true)
  }
}

/** @throws Error that says what to install. */
async function binaryDirectory(): Promise<string> {
  const found = await runProgram('pg_config', ['--bindir']).catch(() => null)
  const directory = found?.output.trim() ?? ''
  const server = await runProgram(join(directory, 'postgres'), ['--version']).catch(() => null)
  const dump = await runProgram('pg_dump', ['--version']).catch(() => null)
  if (server === null || dump === null) {
    throw new Error(
      'PostgreSQL’s own server and programs are needed for the comparison (Debian: apt-get install postgresql postgresql-client libpq-dev).',
    )
  }
  if (majorOf(server.output) === majorOf(dump.output)) return directory
  throw new Error(`pg_dump (${dump.output.trim()}) and the server (${server.output.trim()}) are not of one version.`)
}

/** The major version of the pg_dump on the PATH. */
export async function pgDumpMajor(): Promise<number> {
  return majorOf((await runProgram('pg_dump', ['--version'])).output)
}

/** `pg_dump (PostgreSQL) 15.8 …`. */
function majorOf(version: string): number {
  return Number(/(\d+)/.exec(version)?.[1] ?? 0)
}

/** @throws Error that says what to install. */
export async function requirePrograms(programs: Readonly<Record<string, string>>): Promise<void> {
  for (const [program, debianPackage] of Object.entries(programs)) {
    await runProgram(program, ['--version']).catch(() => {
      throw new Error(`${program} is needed for the comparison (Debian: apt-get install ${debianPackage}).`)
    })
  }
}
