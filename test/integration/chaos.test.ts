import { availableParallelism } from 'node:os'
import { describe, expect, it } from 'vitest'
import { renderLost } from '../chaos/report.ts'
import { runChaos } from '../chaos/run-chaos.ts'

const SEED = 20_261_121
/** A sample that leaves the suite quick; `npm run chaos` plays as many as one likes. */
const ROUNDS = 15

describe('a fault at any instant of a run', () => {
  it(`loses nothing in ${ROUNDS} random rounds`, async () => {
    const results = await runChaos({
      seed: SEED,
      rounds: Array.from({ length: ROUNDS }, (_, index) => index + 1),
      workers: Math.min(2, availableParallelism()),
    })
    expect(results).toHaveLength(ROUNDS)
    const lost = results.filter(({ problems }) => problems.length > 0)
    expect(lost.map((result) => renderLost(SEED, result))).toEqual([])
  }, 400_000)
})
