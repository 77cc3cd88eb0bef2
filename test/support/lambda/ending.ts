import type { ChildProcess } from 'node:child_process'
import { watchMemory } from './memory.ts'

/** What a container's process says. */
type ContainerMessage =
  | { readonly type: 'ready' }
  | { readonly type: 'result'; readonly payload: string }
  | { readonly type: 'error'; readonly payload: string }
  /** An error after which the process ends. */
  | { readonly type: 'fatal'; readonly payload: string }

/** The first thing that ends a wait for a container. */
export type Ending =
  | { readonly kind: 'message'; readonly message: ContainerMessage }
  | { readonly kind: 'exit'; readonly code: number | null; readonly signal: NodeJS.Signals | null }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'memory' }

export interface Limits {
  readonly timeoutMs: number
  readonly memoryMb: number
}

/** Waits for whatever comes first: a message, the end of the process, the time limit, the memory limit. */
export function nextEnding(
  child: ChildProcess,
  limits: Limits,
): Promise<{ readonly ending: Ending; readonly peakMb: number }> {
  return new Promise((resolve) => {
    const finish = (ending: Ending): void => {
      clearTimeout(timer)
      memory.stop()
      child.off('message', onMessage)
      child.off('exit', onExit)
      resolve({ ending, peakMb: memory.peakMb() })
    }
    const onMessage = (message: unknown): void => finish({ kind: 'message', message: message as ContainerMessage })
    const onExit = (code: number | null, signal: NodeJS.Signals | null): void =>
      // A last message may still be in the channel when the process is gone.
      afterDisconnect(child, () => finish({ kind: 'exit', code, signal }))
    const timer = setTimeout(() => finish({ kind: 'timeout' }), limits.timeoutMs)
    const memory = watchMemory(child.pid ?? 0, limits.memoryMb, () => finish({ kind: 'memory' }))
    child.on('message', onMessage)
    if (hasExited(child)) onExit(child.exitCode, child.signalCode)
    else child.on('exit', onExit)
  })
}

/** True once the process has ended by itself or by a signal. */
export function hasExited(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

function afterDisconnect(child: ChildProcess, done: () => void): void {
  if (child.connected) child.once('disconnect', done)
  else setImmediate(done)
}
