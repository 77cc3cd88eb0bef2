import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** How long a paused Aurora cluster takes to wake. Milliseconds. */
export const WAKING_MS = 30_000

/** A proxy in front of a server that is asleep: the first connection wakes it, and all wait until it is awake. */
export async function startSleepingProxy(
  targetPort: number,
): Promise<{ readonly port: number; readonly close: () => Promise<void> }> {
  const sockets = new Set<Socket>()
  let awake: Promise<void> | null = null
  const server = createServer((inbound) => {
    sockets.add(inbound)
    inbound.on('error', () => {})
    awake ??= new Promise((resolve) => void setTimeout(resolve, WAKING_MS))
    void awake.then(() => join(inbound))
  })
  const join = (inbound: Socket): void => {
    if (inbound.destroyed) return
    const outbound = connect(targetPort, '127.0.0.1')
    sockets.add(outbound)
    outbound.on('error', () => inbound.destroy())
    outbound.on('close', () => inbound.destroy())
    inbound.on('close', () => outbound.destroy())
    inbound.pipe(outbound).pipe(inbound)
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
