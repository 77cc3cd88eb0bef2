import { DeleteObjectsCommand, paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3'
import type { SnapshotStore } from '../snapshot/store.ts'
import { createPartBuffers } from './part-buffers.ts'
import { downloadObject } from './s3-download.ts'
import { isDenied, missingObject, s3Fault } from './s3-fault.ts'
import { uploadObject } from './s3-upload.ts'

export interface S3StoreOptions {
  readonly client: S3Client
  readonly bucket: string
  /** Leading and trailing slashes do not matter; may be empty. */
  readonly prefix: string
  /** Encrypts with this KMS key. @default the bucket's own default encryption */
  readonly kmsKeyId?: string
}

/** The least that S3 takes. 10,000 parts bound an object: 48 GiB of compressed rows. */
const PART_BYTES = 5 * 1024 * 1024
/** For all uploads together, 40 MiB: four that fill a part each and send another. TLS holds those it sends once more. */
const PARTS_IN_MEMORY = 8
const REMOVED_AT_ONCE = 1000

/** Keeps snapshots as objects in S3. Whatever is written at the same time, it holds {@link PARTS_IN_MEMORY} parts. */
export function createS3Store(options: S3StoreOptions): SnapshotStore {
  const prefix = options.prefix.replaceAll(/^\/+|\/+$/g, '')
  const base = prefix === '' ? '' : `${prefix}/`
  const location = { ...options, base }
  const buffers = createPartBuffers(PARTS_IN_MEMORY, PART_BYTES)
  const guarded = async <T>(doing: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      throw s3Fault(error, options.bucket, doing)
    }
  }
  return {
    uri: `s3://${options.bucket}${prefix === '' ? '' : `/${prefix}`}`,
    write: async (key, body) =>
      guarded(`write ${base}${key}`, async () => uploadObject({ ...options, key: base + key, buffers }, body)),
    read: async (key) => {
      const doing = `read ${base}${key}`
      const explain = (error: unknown): Error => s3Fault(error, options.bucket, doing)
      try {
        return await downloadObject({ ...options, key: base + key }, explain)
      } catch (error) {
        if (isDenied(error) && (await isAbsent(location, key))) throw missingObject(error, options.bucket, doing)
        throw explain(error)
      }
    },
    list: async (from) => guarded(`list ${base}${from}`, async () => listKeys(location, from)),
    remove: async (keys) => guarded(`remove objects under ${base}`, async () => removeKeys(location, keys)),
  }
}

interface Location extends S3StoreOptions {
  readonly base: string
}

async function listKeys({ client, bucket, base }: Location, from: string): Promise<readonly string[]> {
  const keys: string[] = []
  for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: base + from })) {
    for (const { Key: key } of page.Contents ?? []) if (key !== undefined) keys.push(key.slice(base.length))
  }
  return keys.toSorted()
}

/** False also when that cannot be told. */
async function isAbsent(location: Location, key: string): Promise<boolean> {
  return listKeys(location, key).then(
    (keys) => !keys.includes(key),
    () => false,
  )
}

async function removeKeys({ client, bucket, base }: Location, keys: readonly string[]): Promise<void> {
  for (let start = 0; start < keys.length; start += REMOVED_AT_ONCE) {
    const Objects = keys.slice(start, start + REMOVED_AT_ONCE).map((key) => ({ Key: base + key }))
    const { Errors: errors = [] } = await client.send(
      new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } }),
    )
    const [first] = errors
    // One refusal comes as a successful response with a list of errors.
    if (first !== undefined) throw Object.assign(new Error(first.Message ?? ''), { name: first.Code ?? 'Error' })
  }
}
