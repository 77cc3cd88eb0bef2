/** Things to do, in the order in which they begin where nothing else decides, each with those that come before it. */
export type Graph = ReadonlyMap<string, ReadonlySet<string>>

export type Progress = ReadonlyMap<string, 'begun' | 'done' | 'failed'>

/**
 * What a failure means for the rest: `stop`, nothing more begins; `spare-dependents`, nothing that comes after it
 * begins; `go-on`, all begins as if it had been done.
 */
export type FailureRule = 'stop' | 'spare-dependents' | 'go-on'

/** What may begin now: all whose predecessors are done. Pure. */
export function ready(graph: Graph, progress: Progress, rule: FailureRule): readonly string[] {
  if (rule === 'stop' && [...progress.values()].includes('failed')) return []
  const isOver = (id: string): boolean => {
    const state = progress.get(id)
    return state === 'done' || (state === 'failed' && rule === 'go-on') || !graph.has(id)
  }
  return [...graph.keys()].filter((id) => !progress.has(id) && [...(graph.get(id) ?? [])].every(isOver))
}

/** The ids that can never begin, because each waits for another of them. Pure. */
export function circular(graph: Graph): readonly string[] {
  const progress = new Map<string, 'done'>()
  for (let next = ready(graph, progress, 'stop'); next.length > 0; next = ready(graph, progress, 'stop')) {
    for (const id of next) progress.set(id, 'done')
  }
  return [...graph.keys()].filter((id) => !progress.has(id))
}
