import { createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import pg from 'pg'

const SSL_REQUEST = 80_877_103
const [READY, TERMINATE] = ['Z'.charCodeAt(0), 'X'.charCodeAt(0)]

/** A connection to the server that the pool has made. */
interface ServerSession {
  readonly socket: Socket
  client: Socket | null
}

/**
 * A pooler before a server, as PgBouncer is one: it greets its clients itself, and lends a server session for one
 * transaction or for the whole session. Gives the URL to connect to; closed when the test ends.
 */
export async function startPooler(url: string, mode: 'transaction' | 'session'): Promise<string> {
  const sockets = new Set<Socket>()
  const idle: ServerSession[] = []
  const lend = async (client: Socket): Promise<ServerSession> => {
    const session = idle.pop() ?? (await openServerSession(url, sockets, (freed) => idle.push(freed), mode))
    session.client = client
    return session
  }
  const server = createServer((client) => {
    sockets.add(client)
    client.on('error', () => {})
    serve(client, lend)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  const address = server.address()
  const pooled = new URL(url)
  pooled.port = String(typeof address === 'object' && address !== null ? address.port : 0)
  return pooled.href
}

function serve(client: Socket, lend: (client: Socket) => Promise<ServerSession>): void {
  let greeted = false
  let unread = Buffer.alloc(0)
  let session: Promise<ServerSession> | null = null
  client.on('close', () => void session?.then(({ socket }) => socket.destroy()))
  client.on('returned', () => (session = null))
  client.on('data', (data: Buffer) => {
    unread = Buffer.concat([unread, data])
    while (!greeted && unread.length >= 8 && unread.length >= unread.readInt32BE(0)) {
      greeted = unread.readInt32BE(4) !== SSL_REQUEST
      unread = unread.subarray(unread.readInt32BE(0))
      client.write(greeted ? greeting() : 'N')
    }
    if (!greeted || unread.length === 0) return
    const request = unread
    unread = Buffer.alloc(0)
    if (request[0] === TERMINATE) {
      client.end()
      return
    }
    session ??= lend(client)
    void session.then(({ socket }) => socket.write(request))
  })
}

/** Authenticates through the driver, and takes its socket over. */
async function openServerSession(
  url: string,
  sockets: Set<Socket>,
  release: (session: ServerSession) => void,
  mode: 'transaction' | 'session',
): Promise<ServerSession> {
  const driver = new pg.Client({ connectionString: url })
  await driver.connect()
  const { stream: socket } = (driver as unknown as { readonly connection: { readonly stream: Socket } }).connection
  socket.removeAllListeners()
  socket.on('error', () => {})
  sockets.add(socket)
  const session: ServerSession = { socket, client: null }
  let unread = Buffer.alloc(0)
  socket.on('data', (data: Buffer) => {
    const { client } = session
    unread = Buffer.concat([unread, data])
    while (unread.length >= 5 && unread.length > unread.readInt32BE(1)) {
      const length = unread.readInt32BE(1) + 1
      if (mode === 'transaction' && unread[0] === READY && unread.toString('latin1', 5, 6) === 'I') {
        client?.emit('returned')
        session.client = null
        release(session)
      }
      unread = unread.subarray(length)
    }
    client?.write(data)
  })
  return session
}

/** AuthenticationOk, BackendKeyData with a process id that is no server's, ReadyForQuery. */
function greeting(): Buffer {
  const made = Buffer.alloc(13)
  made.write('K')
  made.writeInt32BE(12, 1)
  made.writeInt32BE(1_000_000_000 + Math.floor(Math.random() * 1e9), 5)
  return Buffer.concat([Buffer.from('R\0\0\0\x08\0\0\0\0', 'latin1'), made, Buffer.from('Z\0\0\0\x05I', 'latin1')])
}
