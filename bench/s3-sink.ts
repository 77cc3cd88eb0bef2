import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * An S3 endpoint in a process of its own that takes objects, forgets their content and lists their keys: what it costs
 * must not count as the client's. Tells its URL on the first line of its output; `GET /stored` answers the bytes.
 */
const objects = new Map<string, number>()
const uploads = new Map<string, number>()

const server = createServer((request, response) => {
  let bytes = 0
  request.on('data', (chunk: Buffer) => (bytes += chunk.length))
  request.on('end', () => answer(request, response, bytes))
})

function answer(request: IncomingMessage, response: ServerResponse, bytes: number): void {
  const url = new URL(request.url ?? '/', 'http://sink')
  const upload = url.searchParams.get('uploadId')
  const key = decodeURIComponent(url.pathname.split('/').slice(2).join('/'))
  if (url.pathname === '/stored') {
    const total = [...objects.values()].reduce((sum, size) => sum + size, 0)
    objects.clear()
    response.end(String(total))
    return
  }
  response.setHeader('etag', '"0"')
  if (request.method === 'PUT' && upload !== null) uploads.set(upload, (uploads.get(upload) ?? 0) + bytes)
  else if (request.method === 'PUT') objects.set(key, bytes)
  else if (request.method === 'POST' && upload !== null) objects.set(key, uploads.get(upload) ?? 0)
  response.setHeader('content-type', 'application/xml')
  response.end(bodyFor(request.method ?? '', url, upload))
}

function bodyFor(method: string, url: URL, upload: string | null): string {
  if (method === 'POST' && upload === null) {
    return `<InitiateMultipartUploadResult><UploadId>${crypto.randomUUID()}</UploadId></InitiateMultipartUploadResult>`
  }
  if (method === 'POST') return '<CompleteMultipartUploadResult><ETag>"0"</ETag></CompleteMultipartUploadResult>'
  if (method !== 'GET') return ''
  const prefix = url.searchParams.get('prefix') ?? ''
  const keys = [...objects.keys()].filter((key) => key.startsWith(prefix))
  const contents = keys.map((key) => `<Contents><Key>${key}</Key></Contents>`).join('')
  return `<ListBucketResult><IsTruncated>false</IsTruncated>${contents}</ListBucketResult>`
}

server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`)
})
