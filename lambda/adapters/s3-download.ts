import { GetObjectCommand, type GetObjectCommandOutput, type S3Client } from '@aws-sdk/client-s3'
import { once } from 'node:events'
import { PassThrough, type Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { Fault } from '../snapshot/fault.ts'

export interface DownloadSource {
  readonly client: S3Client
  readonly bucket: string
  /** Whole. */
  readonly key: string
}

/** Between two answers that end before a single byte came. */
const ATTEMPTS = 4
const PAUSE_MS = 250

/**
 * An object's bytes. An answer that ends early, as those of long reads do now and then, is asked for again from where
 * it ended; the client's own retries end where the answer begins.
 *
 * @param explain What to say of an error that comes once reading has begun.
 */
export async function downloadObject(source: DownloadSource, explain: (error: unknown) => Error): Promise<Readable> {
  const first = await ask(source, 0)
  const target = new PassThrough()
  void forward(source, first, target).then(
    () => target.end(),
    (error: unknown) => target.destroy(explain(error)),
  )
  return target
}

interface Answer {
  readonly body: Readable
  /** Of the whole object. */
  readonly bytes: number
  readonly etag: string | undefined
}

async function ask({ client, bucket, key }: DownloadSource, from: number): Promise<Answer> {
  const range = from === 0 ? {} : { Range: `bytes=${from}-` }
  const { Body, ContentLength, ETag }: GetObjectCommandOutput = await client.send(
    new GetObjectCommand({ Bucket: bucket, Key: key, ...range }),
  )
  if (Body === undefined) throw new Error(`S3 returned no body for ${key}`)
  return { body: Body as Readable, bytes: from + (ContentLength ?? 0), etag: ETag }
}

/** Until the object's end, or until nobody wants its bytes any more. */
async function forward(source: DownloadSource, first: Answer, target: PassThrough): Promise<void> {
  let answer: Answer | null = first
  let from = 0
  for (let attempt = 1; ;) {
    const before = from
    try {
      answer ??= await ask(source, from)
      if (answer.etag !== first.etag) throw replaced(source)
      for await (const chunk of until(target, answer.body)) {
        from += chunk.length
        if (!target.write(chunk)) await drained(target)
      }
      return
    } catch (error) {
      answer?.body.destroy()
      attempt = from > before ? 1 : attempt + 1
      if (target.destroyed || from === first.bytes || attempt > ATTEMPTS || isRefusal(error)) throw error
      answer = null
      await delay(PAUSE_MS)
    }
  }
}

/** Ends the body with the target. */
function until(target: PassThrough, body: Readable): AsyncIterable<Buffer> {
  const end = (): void => void body.destroy()
  target.once('close', end)
  body.once('close', () => target.off('close', end))
  if (target.destroyed) end()
  return body
}

async function drained(target: PassThrough): Promise<void> {
  if (target.destroyed) return
  const settled = new AbortController()
  try {
    await Promise.race([once(target, 'drain', settled), once(target, 'close', settled)])
  } finally {
    settled.abort()
  }
}

function replaced({ bucket, key }: DownloadSource): Fault {
  return new Fault(
    `${key} in bucket "${bucket}" was replaced while it was read.`,
    'Find out who writes to the snapshots, and use another snapshot.',
  )
}

/** It would be said again: the object is gone, is another by now, or must not be read. */
function isRefusal(error: unknown): boolean {
  if (error instanceof Fault) return true
  if (!(error instanceof Error) || !('$metadata' in error)) return false
  const { httpStatusCode = 0 } = error.$metadata as { readonly httpStatusCode?: number }
  return httpStatusCode >= 400 && httpStatusCode < 500
}
