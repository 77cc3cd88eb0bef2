import { runCommand } from '../support/command-line.ts'
import { readOptions, USAGE, type Options } from './options.ts'
import { renderLost, renderSummary, summarise } from './report.ts'
import { runChaos } from './run-chaos.ts'

/**
 * `npm run chaos`: random runs over generated sets, with a fault at a random instant of each: the process is killed, the
 * connections are cut, or the server restarts. Ends with 1 when anything was lost.
 */
async function main({ seed, rounds, workers, json }: Options): Promise<number> {
  const began = performance.now()
  const tell = json ? console.error : console.log
  const results = await runChaos({
    seed,
    rounds,
    workers,
    onRound: (result) => {
      if (result.problems.length > 0) tell(renderLost(seed, result))
    },
  })
  const summary = summarise(seed, results, (performance.now() - began) / 1000)
  console.log(json ? JSON.stringify(summary, null, 2) : renderSummary(summary))
  return summary.lost.length === 0 ? 0 : 1
}

await runCommand({ usage: USAGE, readOptions, main })
