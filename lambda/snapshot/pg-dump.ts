import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type pg from 'pg'
import { useBaselineWebAssembly } from '../web-assembly.ts'
import { Fault } from './fault.ts'
import { forServer } from './pg-dump-compatibility.ts'
import type { PgDumpMemory } from './pg-dump-memory.ts'
import type { FromPgDump, PgDumpWorkerData } from './pg-dump-protocol.ts'
import { LOCK_TIMEOUT_MS, socketOf } from './session.ts'

/** The major version of the pg_dump inside: it refuses servers newer than itself. */
const PG_DUMP_MAJOR = 18

export type SchemaSection = 'pre-data' | 'post-data'

/** The server may run ahead of pg_dump by this many bytes; then its socket is paused. */
const MAX_BYTES_AHEAD = 1024 * 1024

/**
 * The schema as real pg_dump writes it, UTF-8. Takes the session over: nothing else can be asked on it any more, until
 * the driver's own listeners on its socket are put back.
 *
 * @param snapshotId An exported snapshot; null: the session is in the transaction whose view is to be read.
 * @param options Further ones of pg_dump, such as `--no-owner`. @default none
 * @param memory Of what was answered before in the same transaction. @default everything is asked
 * @throws Fault when the server is too new, pg_dump refuses, or the connection is lost.
 */
export async function dumpSchema(
  client: pg.Client,
  section: SchemaSection,
  snapshotId: string | null,
  options: readonly string[] = [],
  memory: PgDumpMemory | null = null,
): Promise<string> {
  useBaselineWebAssembly()
  const parameters = await serverParameters(client)
  const version = Number(parameters['server_version_num'])
  refuseNewer(version, parameters['server_version'] ?? '')
  const args = [
    `--section=${section}`,
    ...(snapshotId === null ? [] : [`--snapshot=${snapshotId}`]),
    '--encoding=UTF8',
    `--lock-wait-timeout=${LOCK_TIMEOUT_MS}`,
    ...options,
  ]
  const sql = await runPgDump(client, { posted: new SharedArrayBuffer(4), parameters, args }, memory)
  if (parameters['server_encoding'] === 'SQL_ASCII') refuseUndecodable(sql)
  return forServer(sql, version)
}

/** A database without an encoding may hold names and texts that are not UTF-8: these cannot be carried over. */
function refuseUndecodable(sql: string): void {
  if (!sql.includes('\uFFFD')) return
  throw new Fault(
    'the schema of this SQL_ASCII database holds text that is not UTF-8.',
    'Rename or rewrite such objects, or take a storage-level snapshot of the instance instead.',
  )
}

/** @throws Fault when the server is newer than pg_dump. */
export function refuseNewer(versionNumber: number, version: string): void {
  if (versionNumber < (PG_DUMP_MAJOR + 1) * 10_000) return
  throw new Fault(
    `the server is PostgreSQL ${version}, newer than the pg_dump ${PG_DUMP_MAJOR} that Lockstep carries.`,
    'Update Lockstep, or take a storage-level snapshot of the instance instead.',
  )
}

const PARAMETERS = [
  'server_version',
  'server_version_num',
  'server_encoding',
  'client_encoding',
  'is_superuser',
  'session_authorization',
  'integer_datetimes',
  'standard_conforming_strings',
]

async function serverParameters(client: pg.Client): Promise<Readonly<Record<string, string>>> {
  const result = await client.query<{ name: string; value: string }>(
    'SELECT name, pg_catalog.current_setting(name) AS value FROM unnest($1::text[]) AS name',
    [PARAMETERS],
  )
  return Object.fromEntries(result.rows.map(({ name, value }) => [name, value]))
}

async function runPgDump(
  client: pg.Client,
  workerData: PgDumpWorkerData,
  memory: PgDumpMemory | null,
): Promise<string> {
  const socket = socketOf(client)
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const worker = new Worker(workerUrl(), { workerData })
  const lost = (): void => reject(new Fault('the connection was lost while pg_dump read the schema.', LOST_REMEDY))
  const feed = createFeed(client, worker, workerData.posted, memory)
  worker.on('message', (message: FromPgDump) => {
    if (message.type === 'send') feed.ask(message.bytes)
    else if (message.type === 'taken') feed.taken(message.bytes)
    else if (message.type === 'done') resolve(message.sql)
    else reject(new Fault(message.message.replaceAll(/\s*\n\s*/g, ' ').trim(), REFUSED_REMEDY))
  })
  worker.once('error', reject)
  worker.once('exit', (code) => reject(new Error(`pg_dump's thread ended early with code ${code}`)))
  socket.once('close', lost)
  // The socket may have closed before anybody listened.
  if (socket.destroyed) lost()
  try {
    return await promise
  } finally {
    socket.off('close', lost)
    feed.stop()
    await worker.terminate()
  }
}

const LOST_REMEDY = 'Look in the server log for why the connection ended, and try again.'
const REFUSED_REMEDY = 'Correct what pg_dump names, and try again.'

interface Feed {
  /** Answers a request, or sends it to the server. */
  readonly ask: (request: Uint8Array) => void
  readonly taken: (bytes: number) => void
  readonly stop: () => void
}

/** Hands what the server sends to the worker, and holds the server back when the worker does not keep up. */
function createFeed(client: pg.Client, worker: Worker, posted: SharedArrayBuffer, memory: PgDumpMemory | null): Feed {
  const socket = socketOf(client)
  const counter = new Int32Array(posted)
  let ahead = 0
  const hand = (chunk: Uint8Array): void => {
    ahead += chunk.length
    worker.postMessage(chunk, [])
    Atomics.add(counter, 0, 1)
    Atomics.notify(counter, 0)
    if (ahead > MAX_BYTES_AHEAD) socket.pause()
  }
  const onData = (chunk: Uint8Array): void => {
    memory?.hear(chunk)
    hand(chunk)
  }
  socket.removeAllListeners('data')
  socket.on('data', onData)
  socket.resume()
  return {
    ask: (request) => {
      const known = memory?.recall(request) ?? null
      if (known !== null) return hand(known)
      memory?.listen(request)
      socket.write(request)
    },
    taken: (bytes) => {
      ahead -= bytes
      if (ahead <= MAX_BYTES_AHEAD) socket.resume()
    },
    stop: () => {
      memory?.stop()
      socket.off('data', onData)
      // Flowing, so that the end of the session is noticed.
      socket.resume()
    },
  }
}

/** It lies beside this module and is of its kind: `.ts` in the sources, `.js` in the package, `.mjs` in a bundle. */
function workerUrl(): URL {
  return new URL(`./pg-dump-worker${extname(import.meta.url)}`, import.meta.url)
}
