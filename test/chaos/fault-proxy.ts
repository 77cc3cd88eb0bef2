import { connect, createServer, type Socket } from 'node:net'
import type { Moment } from './scenario.ts'

/** A proxy in front of the server that counts what a process sends, and strikes at a given instant. */
export interface FaultProxy {
  readonly port: number
  /** Where new connections go from now on. */
  readonly aimAt: (port: number) => void
  /** Resets every connection, as a failing network does. */
  readonly cut: () => void
  /** Calls `strike` once, when the instant has come. */
  readonly arm: (moment: Moment, strike: () => void) => Watch
  readonly close: () => Promise<void>
}

/** An armed instant. */
export interface Watch {
  readonly messages: () => number
  /** It will not strike any more. */
  readonly disarm: () => void
}

/** A message without any answer does not hold the instant back for longer. Milliseconds. */
const ANSWER_PATIENCE_MS = 1000

/** What becomes of data that passes through. */
interface Guard {
  readonly onSent: (connection: Socket) => 'pass' | 'drop'
  readonly onAnswered: (connection: Socket) => 'pass' | 'drop'
}

const OPEN: Guard = { onSent: () => 'pass', onAnswered: () => 'pass' }

export async function startFaultProxy(): Promise<FaultProxy> {
  const sockets = new Set<Socket>()
  let targetPort = 0
  let guard = OPEN
  const server = createServer((inbound) => {
    const outbound = connect(targetPort, '127.0.0.1')
    for (const socket of [inbound, outbound]) {
      socket.setNoDelay(true)
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        inbound.destroy()
        outbound.destroy()
      })
    }
    inbound.on('data', (data) => void (guard.onSent(inbound) === 'pass' && outbound.write(data)))
    outbound.on('data', (data) => void (guard.onAnswered(inbound) === 'pass' && inbound.write(data)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const cut = (): void => {
    for (const socket of sockets) socket.resetAndDestroy()
  }
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    aimAt: (port) => void (targetPort = port),
    cut,
    arm: (moment, strike) => {
      const { disarm, ...armed } = guardFor(moment, strike)
      guard = armed
      const stop = (): void => {
        disarm()
        guard = OPEN
      }
      return { messages: armed.messages, disarm: stop }
    },
    close: async () => {
      cut()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function guardFor(moment: Moment, strike: () => void): Guard & Watch {
  let messages = 0
  let over = false
  let held: Socket | null = null
  let timer: NodeJS.Timeout | null = null
  const disarm = (): void => {
    over = true
    if (timer !== null) clearTimeout(timer)
  }
  const now = (): void => {
    if (over) return
    disarm()
    strike()
  }
  return {
    messages: () => messages,
    disarm,
    onSent: (connection) => {
      messages += 1
      if (over || messages !== moment.message) return 'pass'
      if (moment.when === 'before') {
        now()
        return 'drop'
      }
      if (moment.when === 'answered') held = connection
      timer = setTimeout(now, moment.when === 'during' ? moment.delayMs : ANSWER_PATIENCE_MS)
      return 'pass'
    },
    onAnswered: (connection) => {
      if (connection !== held) return 'pass'
      now()
      return 'drop'
    },
  }
}
