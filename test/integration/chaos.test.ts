import { availableParallelism } from 'node:os'
import { describe, expect, it } from 'vitest'
import { renderLost } from '../chaos/report.ts'
import { runChaos } from '../chaos/run-chaos.ts'

const SEED = 20_261_121
const ROUNDS = 200
/** One more than the cores that share the work: a round waits for sleeps, and for servers that are away. */
const WORKERS = Math.min(2, availableParallelism()) + 1

describe('a fault at any instant of a run', () => {
  it(`loses nothing in ${ROUNDS} random rounds`, async () => {
    const results = await runChaos({
      seed: SEED,
      rounds: Array.from({ length: ROUNDS }, (_, index) => index + 1),
      workers: WORKERS,
    })
    expect(results).toHaveLength(ROUNDS)
    const lost = results.filter(({ problems }) => problems.length > 0)
    expect(lost.map((result) => renderLost(SEED, result))).toEqual([])
  }, 600_000)
})
