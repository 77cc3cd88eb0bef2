import { createZstdDecompress } from 'node:zlib'
import type pg from 'pg'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { remedyFor, sqlStateOf } from './failure.ts'
import { Fault } from './fault.ts'
import { listLargeObjects, totalOf } from './large-objects.ts'
import type { SnapshotLargeObjects, SnapshotObject } from './manifest.ts'
import { readObject } from './object-transfer.ts'
import type { SnapshotStore } from './store.ts'

const CHUNK_BYTES = 256 * 1024

/** What one round trip carries at most, unless one line is longer. */
const BATCH_BYTES = 512 * 1024
/** Far fewer than the locks that a server has room for by default: each comment and owner takes one. */
const BATCH_LINES = 500

/**
 * Runs a script of large objects as it streams in, so that its length does not matter.
 *
 * @param adapt What to run instead of a line; '' leaves it out. @default the line itself
 * @throws Fault naming the object when it is damaged, or the statement when the server refuses it.
 */
export async function fillLargeObjects(
  client: pg.Client,
  source: { readonly store: SnapshotStore; readonly prefix: string },
  object: SnapshotObject,
  adapt: (line: string) => string = (line) => line,
): Promise<void> {
  const { key } = object
  const run = async (script: AsyncIterable<Buffer>): Promise<void> => {
    let batch: string[] = []
    let bytes = 0
    for await (const line of linesOf(script, key)) {
      const adapted = adapt(line)
      if (batch.length > 0 && (bytes + adapted.length > BATCH_BYTES || batch.length === BATCH_LINES)) {
        await runLines(client, key, batch)
        batch = []
        bytes = 0
      }
      batch.push(adapted)
      bytes += adapted.length
    }
    await runLines(client, key, batch)
  }
  await readObject(source.store, source.prefix, object, run, createZstdDecompress({ chunkSize: CHUNK_BYTES }))
}

/** Holds no more than the beginning of a line whose end has not come yet. */
async function* linesOf(script: AsyncIterable<Buffer>, key: string): AsyncGenerator<string> {
  let pieces: Buffer[] = []
  for await (const chunk of script) {
    let start = 0
    for (let end = chunk.indexOf(LINE_END); end !== -1; end = chunk.indexOf(LINE_END, start)) {
      yield Buffer.concat([...pieces, chunk.subarray(start, end + 1)]).toString('utf8')
      pieces = []
      start = end + 1
    }
    if (start < chunk.length) pieces.push(chunk.subarray(start))
  }
  if (pieces.length > 0) throw new Fault(`object ${key} ends in the middle of a line.`, DAMAGED_REMEDY)
}

const LINE_END = 0x0a
const DAMAGED_REMEDY = 'Restore another snapshot ("snapshots" lists them).'

async function runLines(client: pg.Client, key: string, lines: readonly string[]): Promise<void> {
  try {
    await client.query(lines.join(''))
  } catch (error) {
    if (isRefusal(error)) return runOneByOne(client, key, lines)
    throw failedAt(key, lines[0], error)
  }
}

/** Nothing of the batch has been done: so it can be done again, to know which statement is refused. */
async function runOneByOne(client: pg.Client, key: string, lines: readonly string[]): Promise<void> {
  for (const line of lines) {
    try {
      await client.query(line)
    } catch (error) {
      throw failedAt(key, line, error)
    }
  }
}

/** The server has answered, and goes on answering: not so in the classes of lost connections and shutdowns. */
function isRefusal(error: unknown): boolean {
  return /^(?!08|57)/.test(sqlStateOf(error) ?? '08')
}

function failedAt(key: string, line: string | undefined, error: unknown): Fault {
  return new Fault(`${key}, at "${headOf(line ?? '')}": ${messageOf(error)}`, remedyFor(error), error)
}

/** Enough to know the large object by; never its content or comment. */
function headOf(line: string): string {
  return /^(?:SELECT pg_catalog\.\w+\(\d+|[A-Z ]+ \d+)/.exec(line)?.[0] ?? 'the beginning'
}

/**
 * Compares number and length with the manifest.
 *
 * @throws Fault when they differ.
 */
export async function verifyLargeObjects(
  client: pg.Client,
  wanted: SnapshotLargeObjects | null,
  log: Log,
): Promise<void> {
  const { count, bytes } = wanted ?? { count: 0, bytes: 0 }
  const found = await totalFound(client, log)
  const same = found.count === count && (found.bytes === null || found.bytes === bytes)
  if (same) return
  throw new Fault(
    `the database holds ${found.count} large objects with ${found.bytes ?? 'unknown'} bytes after the restore instead of ${count} with ${bytes}.`,
    'Restore another snapshot ("snapshots" lists them).',
  )
}

async function totalFound(
  client: pg.Client,
  log: Log,
): Promise<{ readonly count: number; readonly bytes: number | null }> {
  try {
    return totalOf((await listLargeObjects(client)).ranges)
  } catch (error) {
    if (!(error instanceof Fault && sqlStateOf(error.cause) === '42501')) throw error
    // Whoever handed a large object to a role whose rights it does not inherit cannot look into it any more.
    log.warn('The length of the large objects could not be verified', { reason: error.message })
    const result = await client.query<{ count: string }>(
      'SELECT pg_catalog.count(*) AS count FROM pg_catalog.pg_largeobject_metadata',
    )
    return { count: Number(result.rows[0]?.count), bytes: null }
  }
}
