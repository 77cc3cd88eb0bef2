import { createHash } from 'node:crypto'
import { PassThrough, Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { messageOf } from '../errors.ts'
import { Fault } from './fault.ts'
import type { SnapshotObject } from './manifest.ts'
import type { SnapshotStore } from './store.ts'

/** How long a store may take to withdraw a write whose source has failed. */
const WITHDRAW_MS = 10_000

/**
 * Streams to an object of the store, through `transforms`, counting and hashing what is stored.
 *
 * @param key Full key in the store; the result's key is relative to `prefix`.
 */
export async function writeObject(
  store: SnapshotStore,
  target: { readonly prefix: string; readonly key: string },
  source: Readable,
  transforms: readonly Transform[] = [],
  onBytes: (bytes: number) => void = () => {},
): Promise<SnapshotObject> {
  const meter = createMeter(onBytes)
  // Connected before the store sees it: a store that refuses at once destroys what it was given.
  const passing = pipeline([source, ...transforms, meter.stream])
  const writing = store.write(`${target.prefix}/${target.key}`, meter.stream)
  // The store gave up: so does the source, or it would wait for a reader for ever.
  writing.catch((error: unknown) => meter.stream.destroy(error instanceof Error ? error : new Error(messageOf(error))))
  try {
    await passing
  } catch (error) {
    await Promise.race([refusalOf(writing, error), delay(WITHDRAW_MS, undefined, { ref: false })])
    throw error
  }
  const stored = await writing
  const { bytes, sha256 } = meter.result()
  if (stored.bytes === bytes) return { key: target.key, bytes, sha256 }
  throw new Fault(`${target.key} was stored with ${stored.bytes} bytes instead of ${bytes}.`, 'Try again.')
}

/** When the store stopped reading, its own reason is the one to tell. */
async function refusalOf(writing: Promise<unknown>, error: unknown): Promise<void> {
  try {
    await writing
  } catch (refusal) {
    const stoppedReading = error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE'
    if (stoppedReading) throw refusal
  }
}

/** Stores a text. */
export async function writeText(
  store: SnapshotStore,
  target: { readonly prefix: string; readonly key: string },
  text: string,
): Promise<SnapshotObject> {
  return writeObject(store, target, Readable.from([Buffer.from(text)]))
}

/**
 * Streams an object of the store, through `transform`, to a consumer, which does not get to the end before size and
 * checksum have been found right.
 *
 * @param consume Called once there is something to read.
 * @throws Fault naming the object when it is missing or differs from the manifest.
 */
export async function readObject(
  store: SnapshotStore,
  prefix: string,
  object: SnapshotObject,
  consume: (source: AsyncIterable<Buffer>) => Promise<void>,
  transform: Transform = new PassThrough(),
  onBytes: (bytes: number) => void = () => {},
): Promise<void> {
  const check = createMeter(onBytes, object)
  const body = await store.read(`${prefix}/${object.key}`)
  try {
    await pipeline(body, check.stream, transform, consume)
  } catch (error) {
    if (isDecompressionError(error)) throw damaged(object.key, 'cannot be decompressed', error)
    throw error
  }
}

/** The text of an object that the manifest names. @throws Fault naming the object. */
export async function readText(store: SnapshotStore, prefix: string, object: SnapshotObject): Promise<string> {
  const chunks: Buffer[] = []
  await readObject(store, prefix, object, async (source) => {
    for await (const chunk of source) chunks.push(chunk)
  })
  return Buffer.concat(chunks).toString('utf8')
}

interface Meter {
  readonly stream: Transform
  readonly result: () => { readonly bytes: number; readonly sha256: string }
}

/** Counts and hashes what passes; fails at the end when that is not what was expected. */
function createMeter(onBytes: (bytes: number) => void, expected?: SnapshotObject): Meter {
  const hash = createHash('sha256')
  let bytes = 0
  let sha256 = ''
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk)
      bytes += chunk.length
      onBytes(chunk.length)
      done(null, chunk)
    },
    flush(done) {
      sha256 = hash.digest('hex')
      done(expected === undefined ? null : differenceFrom(expected, bytes, sha256))
    },
  })
  return { stream, result: () => ({ bytes, sha256 }) }
}

function differenceFrom(expected: SnapshotObject, bytes: number, sha256: string): Fault | null {
  if (bytes !== expected.bytes) return damaged(expected.key, `has ${bytes} bytes instead of ${expected.bytes}`)
  return sha256 === expected.sha256 ? null : damaged(expected.key, 'does not match its checksum')
}

function isDecompressionError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && /^(ZSTD_|Z_|ERR_ZLIB)/.test(String(error.code))
}

function damaged(key: string, what: string, cause?: unknown): Fault {
  return new Fault(
    `object ${key} ${what}: the snapshot is damaged.`,
    'Restore another snapshot ("snapshots" lists them), or an earlier version of the object if the bucket keeps them.',
    cause,
  )
}
