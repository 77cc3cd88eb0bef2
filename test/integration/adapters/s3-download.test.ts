import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { createS3Store } from '../../../lambda/adapters/s3-store.ts'
import type { SnapshotStore } from '../../../lambda/snapshot/store.ts'
import { s3ClientFor, startS3, type TestS3 } from '../../support/s3.ts'
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.ts'

/** More than all sockets between here and there hold. */
const CONTENT = randomBytes(32 * 1024 * 1024)

let s3: TestS3
beforeAll(async () => {
  s3 = await startS3()
  await s3.createBucket('snapshots')
  await createS3Store({ client: s3.client, bucket: 'snapshots', prefix: '' }).write('large', Readable.from([CONTENT]))
})
afterAll(async () => s3.stop())

interface Line {
  readonly proxy: TcpProxy
  readonly store: SnapshotStore
}

async function openLine(): Promise<Line> {
  const proxy = await startTcpProxy(Number(new URL(s3.endpoint).port))
  const client = s3ClientFor(`http://127.0.0.1:${proxy.port}`)
  onTestFinished(async () => {
    client.destroy()
    await proxy.close()
  })
  return { proxy, store: createS3Store({ client, bucket: 'snapshots', prefix: '' }) }
}

/** Reads to the end, and cuts the line each time that so many more bytes have come. */
async function readWithCuts({ proxy, store }: Line, every: number, cuts: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  let done = 0
  for await (const chunk of await store.read('large')) {
    chunks.push(chunk as Buffer)
    bytes += (chunk as Buffer).length
    if (done < cuts && bytes > every * (done + 1)) {
      proxy.cut()
      done += 1
    }
  }
  expect(done).toBe(cuts)
  return Buffer.concat(chunks)
}

test('goes on where the connection was lost, as often as it is', async () => {
  const read = await readWithCuts(await openLine(), 4 * 1024 * 1024, 6)
  expect(read.equals(CONTENT)).toBe(true)
})

test('fails when S3 cannot be reached any more', async () => {
  const line = await openLine()
  const body = await line.store.read('large')
  body.once('data', () => {
    line.proxy.aimAt(1)
    line.proxy.cut()
  })
  await expect(body.toArray()).rejects.toMatchObject({
    message: expect.stringContaining('cannot read large in bucket "snapshots"'),
    remedy: expect.stringContaining('gateway endpoint'),
  })
})

test('fails when the object was replaced meanwhile', async () => {
  const line = await openLine()
  const other = createS3Store({ client: s3.client, bucket: 'snapshots', prefix: '' })
  await other.write('replaced', Readable.from([CONTENT]))
  const body = await line.store.read('replaced')
  await once(body, 'readable')
  await other.write('replaced', Readable.from([randomBytes(CONTENT.length)]))
  line.proxy.cut()
  await expect(body.toArray()).rejects.toThrow('was replaced while it was read')
})

test('ends the connection when nobody wants the rest, though S3 has gone silent', async () => {
  const { promise: ended, resolve } = Promise.withResolvers<string>()
  const silent = createServer((_request, response) => {
    response.once('close', () => resolve('ended'))
    response.writeHead(200, { 'content-length': '100' }).write('a beginning')
  })
  await new Promise<void>((listening) => silent.listen(0, '127.0.0.1', listening))
  onTestFinished(() => void silent.close())
  const client = s3ClientFor(`http://127.0.0.1:${(silent.address() as AddressInfo).port}`)
  const body = await createS3Store({ client, bucket: 'snapshots', prefix: '' }).read('silent')
  await once(body, 'data')
  body.destroy()
  await expect(ended).resolves.toBe('ended')
})
