import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { measure, type Measured } from './measure.ts'
import { runProgram } from './process.ts'
import { databaseUrl } from './server.ts'
import { withClient } from './snapshot-data.ts'

/** One way to restore a database. */
export interface RestoreVariant {
  readonly name: string
  readonly role: 'baseline' | 'ours' | 'peer'
  readonly run: () => Promise<RestoreSample>
}

export interface RestoreSample extends Measured {
  /** Of all the server's sessions meanwhile. */
  readonly serverCpuSeconds: number
}

export interface RestoreInput {
  readonly server: URL
  /** The server's data directory. */
  readonly serverDirectory: string
  /** Scratch. */
  readonly directory: string
  /** What runs ours: a module for Node. */
  readonly child: string
  /** Ours, on disk: a `file:` URL, and its path below the store that both stores serve. */
  readonly snapshot: { readonly store: string; readonly key: string }
  /** Serves the same store. */
  readonly s3: string
  /** Prefix of the dumps' paths: `.fd`, `.fc`, `.sql`. */
  readonly dumps: string
}

const TARGET = 'target'

/** The dumps that the peers restore. */
export async function writeDumps(url: string, dumps: string): Promise<void> {
  await runProgram('pg_dump', ['-Fd', '-j2', '-f', `${dumps}.fd`, url])
  await runProgram('pg_dump', ['-Fc', '-f', `${dumps}.fc`, url])
  await runProgram('pg_dump', ['-f', `${dumps}.sql`, url])
}

export function restoreVariants(input: RestoreInput): readonly RestoreVariant[] {
  const target = quoted(databaseUrl(input.server, TARGET))
  const { dumps } = input
  const peer = (name: string, role: RestoreVariant['role'], command: string): RestoreVariant => ({
    name,
    role,
    run: async () => {
      await withClient(input.server.href, async (client) => void (await client.query(`CREATE DATABASE ${TARGET}`)))
      return measured(input, command, {})
    },
  })
  return [
    peer('pg_restore -j2, from -Fd', 'baseline', `pg_restore -j2 -d ${target} ${quoted(`${dumps}.fd`)}`),
    ours(input, 'Lockstep, from a directory', input.snapshot.store, {}),
    ours(input, 'Lockstep, from S3 (on this machine)', 's3://bench', {
      AWS_ENDPOINT_URL_S3: input.s3,
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'bench',
      AWS_SECRET_ACCESS_KEY: 'bench',
    }),
    peer('pg_restore -j2, from -Fc', 'peer', `pg_restore -j2 -d ${target} ${quoted(`${dumps}.fc`)}`),
    peer('psql, from a plain dump', 'peer', `psql -X -q -d ${target} -f ${quoted(`${dumps}.sql`)}`),
  ]
}

function ours(
  input: RestoreInput,
  name: string,
  store: string,
  environment: Readonly<Record<string, string>>,
): RestoreVariant {
  const words = [process.execPath, input.child, input.server.href, `${store}/${input.snapshot.key}`, store, TARGET]
  return { name, role: 'ours', run: () => measured(input, words.map(quoted).join(' '), environment) }
}

/** Restores into `target`, and drops it. */
async function measured(
  input: RestoreInput,
  command: string,
  environment: Readonly<Record<string, string>>,
): Promise<RestoreSample> {
  const before = await serverCpuSeconds(input.serverDirectory)
  const result = await measure(command, input.directory, environment)
  // The server counts a session's time once it has ended.
  await delay(500)
  const serverCpu = (await serverCpuSeconds(input.serverDirectory)) - before
  await withClient(input.server.href, async (client) => {
    await client.query(`DROP DATABASE ${TARGET} WITH (FORCE)`)
    await client.query('CHECKPOINT')
  })
  return { ...result, serverCpuSeconds: serverCpu }
}

/** Clock ticks are hundredths of a second on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100

/** User and system time of the server's ended children. */
async function serverCpuSeconds(serverDirectory: string): Promise<number> {
  const [processId = ''] = (await readFile(join(serverDirectory, 'postmaster.pid'), 'utf8')).split('\n')
  const status = await readFile(`/proc/${processId.trim()}/stat`, 'utf8')
  // Fields are counted from behind the name in parentheses, which may hold anything.
  const fields = status.slice(status.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[13]) + Number(fields[14])) / TICKS_PER_SECOND
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
