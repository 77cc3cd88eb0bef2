import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateBucketCommand, GetObjectCommand, S3Client } from '@aws-sdk/client-s3'
import S3rver from 's3rver'
import { onlyWholeObjects } from './s3-whole-objects.ts'

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

/** The text of an object. */
export async function readText({ client }: TestS3, bucket: string, key: string): Promise<string> {
  const { Body: body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }))
  return (await body?.transformToString('utf8')) ?? ''
}

export async function startS3(): Promise<TestS3> {
  const directory = await mkdtemp(join(tmpdir(), 'lockstep-test-s3-'))
  const server = new S3rver({ address: '127.0.0.1', port: 0, silent: true, directory, vhostBuckets: false })
  onlyWholeObjects(server)
  const address = await server.run()
  // A connection that the client has kept must not be closed at the moment that it is used again.
  server.httpServer.keepAliveTimeout = 600_000
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
