import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, chown, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { LockstepError, messageOf, UNTOUCHED } from '../lambda/errors.ts'
import { binaries, freePort, runToEnd, SERVER_USER_ID, startProcess, type Binaries } from './embedded-process.ts'

export interface EmbeddedPostgres {
  /** `postgres://` URL of the server's `postgres` database, with its password. */
  readonly url: string
  /** Stops the server if this process started it and no other command still uses it. */
  readonly stop: () => Promise<void>
}

export interface EmbeddedPostgresOptions {
  /** Keeps the data directory and the password between starts. */
  readonly directory: string
  /** Extra `-c name=value` settings. @default {} */
  readonly settings?: Readonly<Record<string, string>>
  /** Trade durability for speed, for throw-away databases. @default false */
  readonly unsafe?: boolean
}

const BOOT_TIMEOUT_MS = 60_000

/**
 * Starts the embedded PostgreSQL server under `directory`, making the cluster on first use. Attaches to the server
 * when another command already runs it. Works as root (the server then runs as `nobody`) and as a normal user.
 *
 * @throws LockstepError `DATABASE_UNREACHABLE` when the server does not come up; the message carries its log.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const directory = resolve(options.directory)
  const data = join(directory, 'data')
  const tools = await binaries()
  await mkdir(directory, { recursive: true })
  const password = await ensureCluster(tools, directory, data)
  const deadline = Date.now() + BOOT_TIMEOUT_MS
  for (;;) {
    const running = await runningServer(data)
    if (running) return attach(running, password)
    const port = await freePort()
    const started = await start(tools, { directory, data, port, options })
    if (started.ready) return own(started.stop, port, password)
    const lostRace =
      (await runningServer(data)) !== null || /lock file "postmaster.pid" already exists/.test(started.log)
    if (!lostRace || Date.now() > deadline) throw unreachable(directory, started.log)
    await delay(200)
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

function urlOf(port: number, password: string): string {
  return `postgres://postgres:${password}@127.0.0.1:${port}/postgres`
}

function attach(port: number, password: string): EmbeddedPostgres {
  return { url: urlOf(port, password), stop: async () => {} }
}

function own(stop: () => Promise<void>, port: number, password: string): EmbeddedPostgres {
  return { url: urlOf(port, password), stop }
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

/** The port of a live server on this data directory, from the pid file that PostgreSQL itself keeps. */
async function runningServer(data: string): Promise<number | null> {
  try {
    const lines = (await readFile(join(data, 'postmaster.pid'), 'utf8')).split('\n')
    if (lines[7]?.trim() !== 'ready') return null
    process.kill(Number(lines[0]), 0)
    return Number(lines[3])
  } catch (error) {
    if (messageOf(error).includes('EPERM')) throw error
    return null
  }
}

interface StartInput {
  readonly directory: string
  readonly data: string
  readonly port: number
  readonly options: EmbeddedPostgresOptions
}

interface Started {
  readonly ready: boolean
  readonly log: string
  readonly stop: () => Promise<void>
}

function start(tools: Binaries, input: StartInput): Promise<Started> {
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    log_destination: 'stderr',
    logging_collector: 'off',
    ...(input.options.unsafe ? { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' } : {}),
    ...input.options.settings,
  }
  const args = ['-D', input.data, '-p', String(input.port)]
  for (const [name, value] of Object.entries(settings)) args.push('-c', `${name}=${value}`)
  return startProcess(tools, tools.postgres, args, {
    ready: /database system is ready to accept connections/,
    timeoutMs: BOOT_TIMEOUT_MS,
  })
}
