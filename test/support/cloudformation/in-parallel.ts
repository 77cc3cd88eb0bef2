import { ready, type FailureRule, type Graph } from './schedule.ts'

export interface ParallelOptions {
  readonly rule: FailureRule
  /** Aborted by the first failure where that stops the rest; once it is aborted, nothing more begins. */
  readonly stop?: AbortController
}

/** Does at the same time whatever may begin. @param work - gives whether it succeeded; does not throw */
export async function inParallel(
  graph: Graph,
  work: (id: string) => Promise<boolean>,
  { rule, stop = new AbortController() }: ParallelOptions,
): Promise<void> {
  const progress = new Map<string, 'begun' | 'done' | 'failed'>()
  const inWork = new Set<Promise<void>>()
  const begin = (id: string): void => {
    progress.set(id, 'begun')
    const ended = work(id).then((succeeded) => {
      progress.set(id, succeeded ? 'done' : 'failed')
      inWork.delete(ended)
      if (!succeeded && rule === 'stop') stop.abort()
    })
    inWork.add(ended)
  }
  const beginDue = (): void => {
    if (!stop.signal.aborted) ready(graph, progress, rule).forEach(begin)
  }
  for (beginDue(); inWork.size > 0; beginDue()) await Promise.race(inWork)
}
