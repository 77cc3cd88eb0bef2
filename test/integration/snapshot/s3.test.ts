import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { createS3Store } from '../../../lambda/adapters/s3-store.ts'
import { restoreSnapshot } from '../../../lambda/snapshot/restore.ts'
import { createSnapshot, listSnapshots } from '../../../lambda/snapshot/snapshot.ts'
import type { SnapshotStore } from '../../../lambda/snapshot/store.ts'
import { createDatabase } from '../../support/database.ts'
import { s3ClientFor, startS3, type TestS3 } from '../../support/s3.ts'
import { contextFor, interruptedStore, reportOfFailure } from './support.ts'

const MEBIBYTE = 1024 * 1024
let s3: TestS3

beforeAll(async () => {
  s3 = await startS3()
  await s3.createBucket('snapshots')
})
afterAll(async () => s3.stop())

function storeAt(prefix: string): SnapshotStore {
  return createS3Store({ client: s3.client, bucket: 'snapshots', prefix })
}

/** An S3 endpoint that does what the test says. */
async function stubS3(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<SnapshotStore> {
  const server = createServer((request, response) => {
    request.resume().once('end', () => answer(request, response))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const client = s3ClientFor(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  onTestFinished(() => {
    client.destroy()
    server.closeAllConnections()
    server.close()
  })
  return createS3Store({ client, bucket: 'snapshots', prefix: 'p', kmsKeyId: 'the-key' })
}

function refusal(code: string, message: string) {
  return (_request: IncomingMessage, response: ServerResponse): void => {
    response.writeHead(403, { 'content-type': 'application/xml' })
    response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`)
  }
}

async function textOf(store: SnapshotStore, key: string): Promise<string> {
  return Buffer.concat(await (await store.read(key)).toArray()).toString()
}

test('writes, reads, lists and removes objects of any size under its prefix', async () => {
  const store = storeAt('/some/prefix/')
  const large = randomBytes(20 * MEBIBYTE)

  expect(await store.write('d/large', Readable.from([large.subarray(0, MEBIBYTE), large.subarray(MEBIBYTE)]))).toEqual({
    bytes: large.length,
  })
  expect(await store.write('d/small', Readable.from([Buffer.from('text')]))).toEqual({ bytes: 4 })
  expect(await store.write('e/empty', Readable.from([Buffer.alloc(0)]))).toEqual({ bytes: 0 })

  expect(store.uri).toBe('s3://snapshots/some/prefix')
  expect(await store.list('')).toEqual(['d/large', 'd/small', 'e/empty'])
  expect(await store.list('d/')).toEqual(['d/large', 'd/small'])
  expect(await storeAt('').list('some/prefix/e')).toEqual(['some/prefix/e/empty'])
  expect(await textOf(store, 'd/small')).toBe('text')
  expect(await textOf(store, 'e/empty')).toBe('')
  expect(large.equals(Buffer.concat(await (await store.read('d/large')).toArray()))).toBe(true)
  await store.remove(['d/large', 'd/small', 'not-there'])
  expect(await store.list('')).toEqual(['e/empty'])
})

test('lists more keys than S3 returns at once, and removes more than it takes at once', async () => {
  const requests: string[] = []
  const store = await stubS3((request, response) => {
    const url = new URL(request.url ?? '', 'http://s3')
    requests.push(`${request.method} ${url.searchParams.get('continuation-token')}`)
    const last = url.searchParams.has('continuation-token')
    const more = last
      ? '<IsTruncated>false</IsTruncated>'
      : '<IsTruncated>true</IsTruncated><NextContinuationToken>2</NextContinuationToken>'
    response.writeHead(200, { 'content-type': 'application/xml' })
    response.end(
      `<?xml version="1.0"?><ListBucketResult>${more}<Contents><Key>p/k${last ? 2 : 1}</Key></Contents></ListBucketResult>`,
    )
  })

  expect(await store.list('')).toEqual(['k1', 'k2'])
  await store.remove(Array.from({ length: 1500 }, (_, index) => `k${index}`))

  expect(requests).toEqual(['GET null', 'GET 2', 'POST null', 'POST null'])
})

test('aborts a multipart upload whose source fails', async () => {
  const sent: string[] = []
  const client = s3ClientFor(s3.endpoint)
  client.middlewareStack.add(
    (next, context) => async (args) => {
      sent.push(String(context['commandName']))
      return next(args)
    },
    { step: 'initialize' },
  )
  const store = createS3Store({ client, bucket: 'snapshots', prefix: 'aborted' })
  const body = Readable.from(
    (async function* () {
      for (let part = 0; part < 24; part += 1) yield randomBytes(MEBIBYTE)
      throw new Error('the source failed')
    })(),
  )

  await expect(store.write('large', body)).rejects.toThrow('the source failed')

  expect(sent).toContain('CreateMultipartUploadCommand')
  expect(sent).toContain('AbortMultipartUploadCommand')
  expect(await store.list('')).toEqual([])
  client.destroy()
})

test('leaves no parts behind when S3 refuses one of them', async () => {
  const ended: string[] = []
  const store = await stubS3((request, response) => {
    const url = new URL(request.url ?? '', 'http://s3')
    if (request.method === 'PUT') return refusal('AccessDenied', 'not this part')(request, response)
    ended.push(`${request.method} ${url.search}`)
    response.writeHead(200, { 'content-type': 'application/xml' })
    response.end('<InitiateMultipartUploadResult><UploadId>the-upload</UploadId></InitiateMultipartUploadResult>')
  })

  await expect(store.write('k', Readable.from([Buffer.alloc(20 * MEBIBYTE)]))).rejects.toThrow('not this part')

  expect(ended).toEqual(['POST ?uploads=', 'DELETE ?uploadId=the-upload&x-id=AbortMultipartUpload'])
})

/** One byte more than a part. */
function partAndByte(): Readable {
  return Readable.from([Buffer.alloc(5 * MEBIBYTE), Buffer.alloc(1)])
}

test('holds no more parts than its limit, however many objects are written at the same time', async () => {
  let open = 0
  let most = 0
  const store = await stubS3((request, response) => {
    response.setHeader('etag', '"e"')
    open += 1
    most = Math.max(most, open)
    setImmediate(() => {
      open -= 1
      response.end(request.method === 'POST' ? '<Result><UploadId>u</UploadId></Result>' : '')
    })
  })

  const written = await Promise.all(
    Array.from({ length: 12 }, async (_, index) => store.write(`k${index}`, partAndByte())),
  )

  expect(written.map(({ bytes }) => bytes)).toEqual(Array.from({ length: 12 }, () => 5 * MEBIBYTE + 1))
  expect(most).toBeLessThanOrEqual(8)
})

test('removes every object of a snapshot that fails', async () => {
  const database = await createDatabase()
  await database.rows('CREATE TABLE t AS SELECT 1 AS n')
  const store = storeAt('failing')
  const failing = interruptedStore(store, { write: 'post-data.sql' }, () => Promise.reject(new Error('no')))

  await reportOfFailure(createSnapshot(contextFor(database, failing), { runId: 'run' }))

  expect(await store.list('')).toEqual([])
})

test('fails with the name of a bucket that does not exist', async () => {
  const database = await createDatabase()
  const store = createS3Store({ client: s3.client, bucket: 'no-such-bucket', prefix: 'p' })
  const context = contextFor(database, store)

  const report = await reportOfFailure(createSnapshot(context, { runId: 'run' }))

  expect(report).toMatchObject({
    code: 'SNAPSHOT_FAILED',
    message: `The snapshot of database "${database.name}" failed: bucket "no-such-bucket" does not exist.`,
    remedy: 'Create the bucket, or correct its name.',
  })
  const uri = `${store.uri}/shop/20260101T000000Z-run`
  expect(await reportOfFailure(restoreSnapshot(context, { uri }))).toMatchObject({ code: 'RESTORE_FAILED' })
  expect(await reportOfFailure(listSnapshots(context).then(() => null))).toMatchObject({ code: 'SNAPSHOT_FAILED' })
})

test('fails with the permissions that are missing when the bucket is denied', async () => {
  const database = await createDatabase()
  const store = await stubS3(refusal('AccessDenied', 'User is not authorized to perform: s3:PutObject'))

  const report = await reportOfFailure(createSnapshot(contextFor(database, store), { runId: 'run' }))

  expect(report.code).toBe('SNAPSHOT_FAILED')
  expect(report.message).toMatch(/cannot write p\/.*sequences\.sql in bucket "snapshots": access denied/)
  expect(report.remedy).toContain('s3:PutObject')
})

test('a missing object is told from a denied one, although S3 denies both to whom it does not let list the bucket', async () => {
  const denied = refusal('AccessDenied', 'Access Denied')
  const store = await stubS3((request, response) => {
    if (request.url?.includes('list-type=2') !== true) return denied(request, response)
    response.writeHead(200, { 'content-type': 'application/xml' })
    response.end('<?xml version="1.0"?><ListBucketResult><Contents><Key>p/d/there</Key></Contents></ListBucketResult>')
  })
  const context = contextFor(await createDatabase(), store)

  const { message } = await reportOfFailure(
    restoreSnapshot(context, { uri: `${store.uri}/shop/20260101T000000Z-run`, into: 'x' }),
  )

  expect(message).toContain('no such snapshot')
  await expect(store.read('d/there')).rejects.toThrow('access denied')
  await expect(store.read('d/gone')).rejects.toThrow('there is no such object')
})

test('fails with the key permissions that are missing when KMS denies', async () => {
  const store = await stubS3(refusal('AccessDenied', 'User is not authorized to perform: kms:GenerateDataKey'))
  await expect(store.write('k', Readable.from([Buffer.from('x')]))).rejects.toMatchObject({
    remedy: expect.stringContaining('kms:GenerateDataKey') as unknown,
  })
})

test('fails with a way out when S3 cannot be reached', async () => {
  const client = s3ClientFor('http://127.0.0.1:1')
  const store = createS3Store({ client, bucket: 'snapshots', prefix: '' })
  await expect(store.list('')).rejects.toMatchObject({ remedy: expect.stringContaining('gateway endpoint') as unknown })
})

test('reports objects that S3 refuses to remove', async () => {
  const store = await stubS3((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/xml' })
    response.end(
      '<?xml version="1.0"?><DeleteResult><Error><Key>k</Key><Code>AccessDenied</Code><Message>no</Message></Error></DeleteResult>',
    )
  })
  await expect(store.remove(['k'])).rejects.toThrow('access denied')
})

test('encrypts with the configured key', async () => {
  const headers: IncomingMessage['headers'][] = []
  const store = await stubS3((request, response) => {
    headers.push(request.headers)
    response.writeHead(200, { etag: '"e"' }).end()
  })

  await store.write('k', Readable.from([Buffer.from('x')]))

  expect(headers).toEqual([
    expect.objectContaining({
      'x-amz-server-side-encryption': 'aws:kms',
      'x-amz-server-side-encryption-aws-kms-key-id': 'the-key',
    }),
  ])
})
