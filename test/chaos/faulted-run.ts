import type { ChaosServer } from './chaos-server.ts'
import type { Children } from './children.ts'
import type { Job, JobEnd } from './command.ts'
import type { Fault } from './scenario.ts'

export interface FaultedRun extends JobEnd {
  /** False when the job was done before the instant came. */
  readonly struck: boolean
  /** How many messages it sent. */
  readonly messages: number
}

/** Runs a job through the proxy and lets the fault strike at its instant. Afterwards the server is up. */
export async function runWithFault(
  { server, children }: { readonly server: ChaosServer; readonly children: Children },
  fault: Fault | null,
  job: Job,
): Promise<FaultedRun> {
  const effects: Promise<void>[] = []
  const running = children.start(job)
  if (fault === null) return { ...(await running.ended), struck: false, messages: 0 }
  const watch = server.proxy.arm(fault.moment, () => {
    const effect = strike(server, fault, running.kill)
    // Awaited below; a failure must not end the process before that.
    effect.catch(() => {})
    effects.push(effect)
  })
  const end = await running.ended.finally(() => watch.disarm())
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
