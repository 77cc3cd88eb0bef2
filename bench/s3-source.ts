import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'

/**
 * An S3 endpoint in a process of its own that serves a directory's files as the objects of any bucket: what it costs
 * must not count as the client's. Tells its URL on the first line of its output.
 */
const [directory = '.'] = process.argv.slice(2)

const server = createServer((request, response) => {
  answer(new URL(request.url ?? '/', 'http://source'), response).catch((error: unknown) => {
    response.statusCode = 500
    response.end(String(error))
  })
})

async function answer(url: URL, response: ServerResponse): Promise<void> {
  if (url.searchParams.has('list-type')) {
    response.setHeader('content-type', 'application/xml')
    response.end(await listing(url.searchParams.get('prefix') ?? ''))
    return
  }
  const path = join(directory, decodeURIComponent(url.pathname.split('/').slice(2).join('/')))
  response.setHeader('content-length', (await stat(path)).size)
  await pipeline(createReadStream(path), response)
}

async function listing(prefix: string): Promise<string> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const keys = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .filter((key) => key.startsWith(prefix))
  const contents = keys.map((key) => `<Contents><Key>${key}</Key></Contents>`).join('')
  return `<ListBucketResult><IsTruncated>false</IsTruncated>${contents}</ListBucketResult>`
}

server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`)
})
