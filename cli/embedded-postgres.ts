import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, chown, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { LockstepError, UNTOUCHED } from '../lambda/errors.ts'
import { binaries, type Binaries } from './embedded-binaries.ts'
import { freePort, runToEnd, SERVER_USER_ID, startServer, stopServer } from './embedded-process.ts'
import { exclusively, isAlive, register, type User } from './embedded-users.ts'

export interface EmbeddedPostgres {
  /** `postgres://` URL of the server's `postgres` database, with its password. */
  readonly url: string
  /** Stops the server unless another command still uses it; with `abort`, without waiting for open sessions. */
  readonly stop: (options?: { readonly abort?: boolean }) => Promise<void>
}

export interface EmbeddedPostgresOptions {
  /** Keeps the data directory and the password between starts. */
  readonly directory: string
  /** Of the server; {@link binaries} says how another one is installed. @default 18 */
  readonly major?: number
  /** Extra `-c name=value` settings. @default {} */
  readonly settings?: Readonly<Record<string, string>>
  /** Trade durability for speed, for throw-away databases. @default false */
  readonly unsafe?: boolean
}

const BOOT_TIMEOUT_MS = 60_000

/**
 * Starts the embedded PostgreSQL server under `directory`, making the cluster on first use. Attaches to the server
 * when another command already runs it; the last command to leave stops it. Works as root (the server then runs as
 * `nobody`) and as a normal user.
 *
 * @throws LockstepError `CONFIG_INVALID` when no such server is installed; `DATABASE_UNREACHABLE` when the server does not come up; the message carries its log.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const directory = resolve(options.directory)
  const data = join(directory, 'data')
  const tools = await binaries(options.major)
  await mkdir(directory, { recursive: true })
  return exclusively(directory, async () => {
    const password = await ensureCluster(tools, directory, data)
    const running = (await runningServer(data)) ?? (await start(tools, { directory, data, options }))
    const url = `postgres://postgres:${password}@127.0.0.1:${running.port}/postgres`
    return handle({ directory, running, url, user: await register(directory) })
  })
}

interface RunningServer {
  readonly processId: number
  readonly port: number
}

function handle(input: {
  readonly directory: string
  readonly running: RunningServer
  readonly url: string
  readonly user: User
}): EmbeddedPostgres {
  const { directory, running, url, user } = input
  const stopOnExit = (): void => {
    if (user.leave() && isAlive(running.processId)) process.kill(running.processId, 'SIGINT')
  }
  process.once('exit', stopOnExit)
  return {
    url,
    stop: async ({ abort = false } = {}) => {
      process.off('exit', stopOnExit)
      await exclusively(directory, async () => {
        if (user.leave()) await stopServer(running.processId, abort)
      })
    },
  }
}

function unreachable(directory: string, log: string): LockstepError {
  return new LockstepError({
    code: 'DATABASE_UNREACHABLE',
    message: `The embedded PostgreSQL under ${directory} did not start: ${log.trim().split('\n').slice(-3).join(' | ') || 'no output'}`,
    state: UNTOUCHED,
    remedy: `Give --database-url to use another server, or delete ${directory} to begin with an empty one.`,
  })
}

async function ensureCluster(tools: Binaries, directory: string, data: string): Promise<string> {
  const passwordFile = join(directory, 'password')
  if (existsSync(join(data, 'PG_VERSION'))) return (await readFile(passwordFile, 'utf8')).trim()
  await rm(data, { recursive: true, force: true })
  const password = randomBytes(18).toString('base64url')
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 })
  await mkdir(data, { mode: 0o700 })
  if (process.getuid?.() === 0) {
    await chown(data, SERVER_USER_ID, SERVER_USER_ID)
    await chown(passwordFile, SERVER_USER_ID, SERVER_USER_ID)
  }
  await chmod(passwordFile, 0o600)
  const result = await runToEnd(tools, tools.initdb, [
    '--pgdata',
    data,
    '--username=postgres',
    '--auth=scram-sha-256',
    `--pwfile=${passwordFile}`,
    '--encoding=UTF8',
    '--locale=C.UTF-8',
    '--no-sync',
  ])
  if (result.status !== 0) {
    await rm(data, { recursive: true, force: true })
    throw unreachable(directory, result.output)
  }
  return password
}

/** The live server on this data directory, from the pid file that PostgreSQL itself keeps. */
async function runningServer(data: string): Promise<RunningServer | null> {
  const file = join(data, 'postmaster.pid')
  if (!existsSync(file)) return null
  const lines = (await readFile(file, 'utf8')).split('\n')
  const [processId, port] = [Number(lines[0]), Number(lines[3])]
  return lines[7]?.trim() === 'ready' && isAlive(processId) ? { processId, port } : null
}

interface StartInput {
  readonly directory: string
  readonly data: string
  readonly options: EmbeddedPostgresOptions
}

async function start(tools: Binaries, { directory, data, options }: StartInput): Promise<RunningServer> {
  const port = await freePort()
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    log_destination: 'stderr',
    logging_collector: 'off',
    ...(options.unsafe ? { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' } : {}),
    ...options.settings,
  }
  const args = ['-D', data, '-p', String(port)]
  for (const [name, value] of Object.entries(settings)) args.push('-c', `${name}=${value}`)
  const started = await startServer(tools, args, { logFile: join(directory, 'server.log'), timeoutMs: BOOT_TIMEOUT_MS })
  if (started.processId === null) throw unreachable(directory, started.log)
  return { processId: started.processId, port }
}
