import type { ChaosServer } from './chaos-server.ts'
import { startCommand, type CommandEnd } from './command.ts'
import type { Fault } from './scenario.ts'

export interface FaultedRun extends CommandEnd {
  /** False when the command was done before the instant came. */
  readonly struck: boolean
  /** How many messages it sent. */
  readonly messages: number
}

/** Runs a command through the proxy and lets the fault strike at its instant. Afterwards the server is up. */
export async function runWithFault(server: ChaosServer, fault: Fault, args: readonly string[]): Promise<FaultedRun> {
  const effects: Promise<void>[] = []
  const command = startCommand(args)
  const watch = server.proxy.arm(fault.moment, () => {
    const effect = strike(server, fault, command.kill)
    // Awaited below; a failure must not end the process before that.
    effect.catch(() => {})
    effects.push(effect)
  })
  const end = await command.ended
  watch.disarm()
  await Promise.all(effects)
  return { ...end, struck: effects.length > 0, messages: watch.messages() }
}

async function strike(server: ChaosServer, fault: Fault, kill: () => void): Promise<void> {
  switch (fault.kind) {
    case 'kill':
      return kill()
    case 'cut':
      return server.proxy.cut()
    case 'restart':
      return server.restart(fault.signal, fault.awayMs)
    default:
      return fault.kind satisfies never
  }
}
