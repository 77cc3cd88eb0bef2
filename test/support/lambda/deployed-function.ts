import { closeSync, openSync, writeSync } from 'node:fs'
import { startContainer, type Container, type ContainerSettings, type Outcome } from './container.ts'

/** One deployed state of a function's code and configuration, with its containers. */
export interface DeployedFunction {
  /** Uses an idle container if there is one, else starts another. */
  readonly invoke: (requestId: string, payload: string) => Promise<Outcome>
  /** Idle containers end now, busy ones when their invocation has. What a newer deployment does to this one. */
  readonly retire: () => Promise<void>
  /** Kills the busy containers. */
  readonly crash: () => Promise<void>
  /** Kills every container and closes the log. */
  readonly destroy: () => Promise<void>
}

/** Deploys nothing yet: containers start with the invocations. */
export function createDeployedFunction(
  settings: Omit<ContainerSettings, 'log'> & { readonly logFile: string },
): DeployedFunction {
  const log = openSync(settings.logFile, 'a')
  const idle = new Set<Container>()
  const busy = new Set<Container>()
  const running = new Set<Promise<Outcome>>()
  let retired = false
  const close = async (container: Container): Promise<void> => {
    busy.delete(container)
    idle.delete(container)
    await container.destroy()
  }
  const run = async (requestId: string, payload: string): Promise<Outcome> => {
    const container = [...idle].find((one) => one.isUsable()) ?? startContainer({ ...settings, log })
    idle.delete(container)
    busy.add(container)
    writeSync(log, `START RequestId: ${requestId} Version: $LATEST\n`)
    const startedAt = performance.now()
    const outcome = await container.invoke(requestId, payload)
    writeSync(log, report(requestId, performance.now() - startedAt, settings.definition.memoryMb, outcome))
    if (retired || !container.isUsable()) await close(container)
    else if (busy.delete(container)) idle.add(container)
    return outcome
  }
  return {
    invoke: (requestId, payload) => {
      const outcome = run(requestId, payload).finally(() => running.delete(outcome))
      running.add(outcome)
      return outcome
    },
    retire: async () => {
      retired = true
      await Promise.all([...idle].map(close))
    },
    crash: async () => void (await Promise.all([...busy].map((container) => container.destroy()))),
    destroy: async () => {
      retired = true
      await Promise.all([...idle, ...busy].map(close))
      await Promise.allSettled(running)
      closeSync(log)
    },
  }
}

function report(requestId: string, durationMs: number, memoryMb: number, outcome: Outcome): string {
  const facts = [
    `REPORT RequestId: ${requestId}`,
    `Duration: ${durationMs.toFixed(2)} ms`,
    `Billed Duration: ${Math.ceil(durationMs)} ms`,
    `Memory Size: ${memoryMb} MB`,
    `Max Memory Used: ${outcome.peakMb} MB`,
    ...(outcome.timedOut ? ['Status: timeout'] : []),
  ]
  return `END RequestId: ${requestId}\n${facts.join('\t')}\t\n`
}
