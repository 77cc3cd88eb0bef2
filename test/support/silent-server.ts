import { createServer, type AddressInfo, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** AuthenticationOk and ReadyForQuery, of PostgreSQL's protocol. */
const WELCOME = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0, 0x5a, 0, 0, 0, 5, 0x49])

/**
 * Starts a server that never answers, until the end of the test. Gives its port.
 *
 * @param silent - `at-once`, as a database that is waking up; or once there is a session, as behind a network that breaks
 */
export async function startSilentServer(silent: 'at-once' | 'in-session' = 'at-once'): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}))
    if (silent === 'in-session') socket.once('data', () => socket.write(WELCOME))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}
