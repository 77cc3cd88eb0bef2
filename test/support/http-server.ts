import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface HttpRequest {
  readonly method: string
  /** As sent: not decoded, without the query. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

export interface HttpReply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** `hang` never answers; `drop` cuts the connection without an answer. */
export type HttpAnswer = HttpReply | 'hang' | 'drop'

export interface HttpServer {
  readonly port: number
  /** `http://127.0.0.1:port`; an address and not a name, so that the S3 client uses path-style URLs. */
  readonly endpoint: string
  readonly stop: () => Promise<void>
}

/** Serves `answer` on a free local port. An error thrown by `answer` becomes a 500 with its message. */
export async function startHttpServer(answer: (request: HttpRequest) => Promise<HttpAnswer>): Promise<HttpServer> {
  const server = createServer((incoming, response) => {
    read(incoming)
      .then(answer)
      .catch((error: unknown): HttpReply => ({ status: 500, body: String(error) }))
      .then((reply) => send(response, reply))
      .catch(() => response.destroy())
  })
  // Clients that were frozen between invocations must find their kept-alive connections still open.
  server.keepAliveTimeout = 600_000
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return { port, endpoint: `http://127.0.0.1:${port}`, stop }
}

async function read(incoming: IncomingMessage): Promise<HttpRequest> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  const [path = '/', query = ''] = (incoming.url ?? '/').split('?', 2)
  return {
    method: incoming.method ?? 'GET',
    path,
    query: new URLSearchParams(query),
    headers: incoming.headers,
    body: Buffer.concat(chunks),
  }
}

function send(response: ServerResponse, answer: HttpAnswer): void {
  if (answer === 'hang') return
  if (answer === 'drop') {
    response.destroy()
    return
  }
  response.writeHead(answer.status, answer.headers ?? {})
  response.end(answer.body ?? '')
}
