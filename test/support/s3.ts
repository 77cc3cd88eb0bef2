import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import S3rver from 's3rver'

/** An S3 server of the test's own, on a free port of this machine. */
export interface TestS3 {
  readonly endpoint: string
  readonly client: S3Client
  readonly createBucket: (name: string) => Promise<void>
  readonly stop: () => Promise<void>
}

/** A client with the credentials that the test server takes. The host is an address, so that it uses path style. */
export function s3ClientFor(endpoint: string): S3Client {
  return new S3Client({
    endpoint,
    region: 'eu-central-1',
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' },
  })
}

export async function startS3(): Promise<TestS3> {
  const directory = await mkdtemp(join(tmpdir(), 'lockstep-test-s3-'))
  const server = new S3rver({ address: '127.0.0.1', port: 0, silent: true, directory, vhostBuckets: false })
  oneRemovalAtATime(server)
  const address = await server.run()
  const endpoint = `http://127.0.0.1:${address.port}`
  const client = s3ClientFor(endpoint)
  return {
    endpoint,
    client,
    createBucket: async (name) => void (await client.send(new CreateBucketCommand({ Bucket: name }))),
    stop: async () => {
      client.destroy()
      const closed = server.close()
      server.httpServer.closeAllConnections()
      await closed
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** Two removals that empty the same folder at the same time trip over each other in s3rver. */
function oneRemovalAtATime({ store }: S3rver): void {
  const remove = store.deleteObject.bind(store)
  let last: Promise<unknown> = Promise.resolve()
  store.deleteObject = async (bucket, key) => {
    const removal = last.then(() => remove(bucket, key))
    last = removal.catch(() => {})
    return removal
  }
}
