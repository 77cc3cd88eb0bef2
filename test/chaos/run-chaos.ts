import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startChaosServer } from './chaos-server.ts'
import { startChildren } from './children.ts'
import { playRound, type RoundResult } from './round.ts'

export interface ChaosOptions {
  readonly seed: number
  /** Numbers of the rounds to play. */
  readonly rounds: readonly number[]
  /** Each has a server of its own. */
  readonly workers: number
  readonly onRound?: (result: RoundResult) => void
}

/** Plays the rounds and gives their results, in the order of their numbers. */
export async function runChaos({ seed, rounds, workers, onRound }: ChaosOptions): Promise<readonly RoundResult[]> {
  const directory = await mkdtemp(join(tmpdir(), 'lockstep-chaos-'))
  const due = rounds.values()
  const results: RoundResult[] = []
  const work = async (worker: number): Promise<void> => {
    const own = join(directory, `worker-${worker}`)
    const children = startChildren()
    const server = await startChaosServer(join(own, 'server'))
    try {
      for (const round of due) {
        const result = await playRound({ server, children, directory: own }, seed, round)
        results.push(result)
        onRound?.(result)
      }
    } finally {
      await children.stop()
      await server.stop()
    }
  }
  try {
    await Promise.all(Array.from({ length: workers }, (_, worker) => work(worker)))
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
  return results.toSorted((a, b) => a.round - b.round)
}
