import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEmbeddedPostgres } from '../../cli/embedded-postgres.ts'
import { runCommand } from '../support/command-line.ts'
import { chosenScenarios } from './catalog.ts'
import { readOptions, USAGE, type Options } from './options.ts'
import type { Outcome } from './play.ts'
import { jsonOf, renderFailure, renderSum, tableFor } from './report.ts'
import { runScenarios } from './run-scenarios.ts'
import type { Scenario } from './scenario.ts'

/**
 * `npm run scenarios`: every life cycle of a stack against a real PostgreSQL, with the functions that the project's app
 * deploys. Ends with 1 when any scenario is not as expected.
 */
async function main({ only, workers, json, list }: Options): Promise<number> {
  const scenarios = chosenScenarios(only)
  if (scenarios.length === 0) {
    console.error(`No scenario's theme or title contains "${only}"; --list prints all.`)
    return 2
  }
  if (list) {
    console.log(scenarios.map(({ title }) => title).join('\n'))
    return 0
  }
  const began = performance.now()
  const outcomes = await onOwnServer((serverUrl) =>
    runScenarios({ scenarios, serverUrl, workers, onOutcome: teller(scenarios, json ? console.error : console.log) }),
  )
  const seconds = (performance.now() - began) / 1000
  console.log(json ? JSON.stringify(jsonOf(scenarios, outcomes, seconds), null, 2) : renderSum(outcomes, seconds))
  return outcomes.every(({ problems }) => problems.length === 0) ? 0 : 1
}

/** Says what became of each scenario, as it ends. */
function teller(scenarios: readonly Scenario[], tell: (line: string) => void): (outcome: Outcome) => void {
  const table = tableFor(scenarios)
  tell(table.header)
  return (outcome) => {
    tell(table.line(outcome))
    const scenario = scenarios.find(({ title }) => title === outcome.title)
    if (scenario !== undefined && outcome.problems.length > 0) tell(renderFailure(scenario, outcome))
  }
}

async function onOwnServer<T>(work: (serverUrl: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'lockstep-scenarios-'))
  const settings = { max_connections: '300', deadlock_timeout: '200ms' }
  const server = await startEmbeddedPostgres({ directory, unsafe: true, settings })
  try {
    return await work(server.url)
  } finally {
    await server.stop({ abort: true })
    await rm(directory, { recursive: true, force: true })
  }
}

await runCommand({ usage: USAGE, readOptions, main })
