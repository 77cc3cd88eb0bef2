import { randomUUID } from 'node:crypto'
import { mkdir, rename, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import type S3rver from 's3rver'

/** A folder beside those of the buckets. */
const INCOMING = '.incoming'
const FILES = ['object', 'object.md5', 'metadata.json'] as const

/**
 * Makes s3rver as S3 is: an object is there once it is whole, and looking does not fail for what comes or goes at that
 * moment. s3rver writes objects in place, answers before they are written, and trips over removals.
 */
export function onlyWholeObjects({ store }: S3rver): void {
  const exclusive = createQueue()
  const putObject = store.putObject.bind(store)
  const deleteObject = store.deleteObject.bind(store)
  const listObjects = store.listObjects.bind(store)
  const getObject = store.getObject.bind(store)
  store.putObject = async (object) => {
    const key = randomUUID()
    const incoming = Object.assign(Object.create(Object.getPrototypeOf(object) as object) as typeof object, object)
    const put = await putObject(Object.assign(incoming, { bucket: INCOMING, key }))
    const path = store.getResourcePath(INCOMING, key, 'object')
    while ((await stat(path)).size < put.size) await turn()
    await exclusive(async () => {
      for (const file of FILES) {
        const target = store.getResourcePath(object.bucket, object.key, file)
        await mkdir(dirname(target), { recursive: true })
        await rename(store.getResourcePath(INCOMING, key, file), target)
      }
    })
    return put
  }
  store.deleteObject = async (bucket, key) => exclusive(async () => deleteObject(bucket, key))
  store.listObjects = async (bucket, options) => exclusive(async () => listObjects(bucket, options))
  store.getObject = async (bucket, key, options) => exclusive(async () => getObject(bucket, key, options))
}

/** Works run one after the other. */
function createQueue(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const next = last.then(work)
    last = next.catch(() => {})
    return next
  }
}
