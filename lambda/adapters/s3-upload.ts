import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
  type CompletedPart,
  type S3Client,
} from '@aws-sdk/client-s3'
import type { Readable } from 'node:stream'
import { Fault } from '../snapshot/fault.ts'
import type { PartBuffers } from './part-buffers.ts'

export interface UploadTarget {
  readonly client: S3Client
  readonly bucket: string
  /** In full. */
  readonly key: string
  readonly kmsKeyId?: string | undefined
  /** Their size is that of a part. */
  readonly buffers: PartBuffers
}

/** S3 takes no more for one object. */
const MAX_PARTS = 10_000

/**
 * Streams the body to an object: in one request when it fits into a part, otherwise in parts that are sent while the
 * next one fills. `@aws-sdk/lib-storage` bounds the memory of one upload; these buffers bound that of all of them. When
 * it fails, nothing that was sent stays behind.
 */
export async function uploadObject(target: UploadTarget, body: Readable): Promise<{ readonly bytes: number }> {
  const multipart = createMultipart(target)
  let bytes = 0
  try {
    for await (const { buffer, used, isFirst, isLast } of partsOf(body, target.buffers)) {
      bytes += used
      if (isFirst && isLast) await putWhole(target, buffer, used)
      else await multipart.send(buffer, used)
    }
    await multipart.complete()
    return { bytes }
  } catch (error) {
    await multipart.abandon()
    throw error
  }
}

interface Part {
  /** Whoever gets the part gives it back. */
  readonly buffer: Buffer
  readonly used: number
  readonly isFirst: boolean
  readonly isLast: boolean
}

/** All parts but the last are full; there is at least one. */
async function* partsOf(body: Readable, buffers: PartBuffers): AsyncGenerator<Part, void, undefined> {
  let buffer: Buffer | null = null
  let used = 0
  let isFirst = true
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      for (let from = 0; from < chunk.length;) {
        if (buffer !== null && used === buffer.length) {
          const full: Buffer = buffer
          buffer = null
          yield { buffer: full, used, isFirst, isLast: false }
          isFirst = false
        }
        if (buffer === null) {
          buffer = await buffers.take()
          used = 0
        }
        const taken = chunk.copy(buffer, used, from)
        used += taken
        from += taken
      }
    }
    const last = buffer ?? (await buffers.take())
    buffer = null
    yield { buffer: last, used, isFirst, isLast: true }
  } finally {
    if (buffer !== null) buffers.give(buffer)
  }
}

async function putWhole(target: UploadTarget, buffer: Buffer, used: number): Promise<void> {
  const { client, bucket, key, buffers } = target
  try {
    const Body = buffer.subarray(0, used)
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body, ...encryptionOf(target) }))
  } finally {
    buffers.give(buffer)
  }
}

function encryptionOf({ kmsKeyId }: UploadTarget) {
  return kmsKeyId === undefined ? {} : { ServerSideEncryption: 'aws:kms' as const, SSEKMSKeyId: kmsKeyId }
}

interface Multipart {
  /** Resolves as soon as the next part may be filled. */
  readonly send: (buffer: Buffer, used: number) => Promise<void>
  readonly complete: () => Promise<void>
  readonly abandon: () => Promise<void>
}

interface Upload {
  readonly Bucket: string
  readonly Key: string
  readonly UploadId: string | undefined
}

/** A multipart upload that begins with its first part; without one it does nothing. */
function createMultipart(target: UploadTarget): Multipart {
  const { client, bucket, key, buffers } = target
  const stop = new AbortController()
  const sending: Promise<CompletedPart>[] = []
  let upload: Upload | null = null
  let failed: { readonly reason: unknown } | null = null

  async function begin(): Promise<Upload> {
    const { UploadId } = await client.send(
      new CreateMultipartUploadCommand({
        Bucket: bucket,
        Key: key,
        ChecksumAlgorithm: 'CRC32',
        ...encryptionOf(target),
      }),
    )
    return { Bucket: bucket, Key: key, UploadId }
  }

  async function sendPart(upload: Upload, PartNumber: number, buffer: Buffer, used: number): Promise<CompletedPart> {
    try {
      const Body = buffer.subarray(0, used)
      const input = { ...upload, PartNumber, Body, ChecksumAlgorithm: 'CRC32' as const }
      const { ETag, ChecksumCRC32 } = await client.send(new UploadPartCommand(input), { abortSignal: stop.signal })
      return { PartNumber, ETag, ChecksumCRC32 }
    } catch (reason) {
      failed ??= { reason }
      throw reason
    } finally {
      buffers.give(buffer)
    }
  }

  return {
    send: async (buffer, used) => {
      try {
        upload ??= await begin()
        if (failed !== null) throw failed.reason
        if (sending.length === MAX_PARTS) throw tooLarge(key)
      } catch (error) {
        buffers.give(buffer)
        throw error
      }
      const part = sendPart(upload, sending.length + 1, buffer, used)
      // Looked at when the next part is sent, or at the end.
      part.catch(() => {})
      sending.push(part)
    },
    complete: async () => {
      if (upload === null) return
      const Parts = await Promise.all(sending)
      await client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }))
    },
    abandon: async () => {
      stop.abort()
      // A part that arrives after the end would stay, and cost, for ever.
      await Promise.allSettled(sending)
      if (upload !== null) await client.send(new AbortMultipartUploadCommand(upload)).catch(() => {})
    },
  }
}

function tooLarge(key: string): Fault {
  return new Fault(
    `${key} would take more than the ${MAX_PARTS} parts that S3 allows for an object.`,
    'Take a storage-level snapshot of the instance instead.',
  )
}
