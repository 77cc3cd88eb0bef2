import { createAssemblies } from './assemblies.ts'
import { play, type Outcome, type Theatre } from './play.ts'
import { createReferences } from './references.ts'
import type { Scenario } from './scenario.ts'

export interface RunOptions {
  readonly scenarios: readonly Scenario[]
  readonly serverUrl: string
  /** How many at once, each in a world of its own. */
  readonly workers: number
  readonly onOutcome?: (outcome: Outcome) => void
}

/** Plays the scenarios; gives what became of them, in their order. */
export async function runScenarios(options: RunOptions): Promise<readonly Outcome[]> {
  const { scenarios, serverUrl, workers, onOutcome } = options
  return withTheatre(serverUrl, async (theatre) => {
    const outcomes = new Map<Scenario, Outcome>()
    const due = scenarios.values()
    const work = async (): Promise<void> => {
      for (const scenario of due) {
        const outcome = await play(scenario, theatre)
        outcomes.set(scenario, outcome)
        onOutcome?.(outcome)
      }
    }
    await Promise.all(Array.from({ length: workers }, work))
    return scenarios.flatMap((scenario) => outcomes.get(scenario) ?? [])
  })
}

async function withTheatre<T>(serverUrl: string, work: (theatre: Theatre) => Promise<T>): Promise<T> {
  const assemblies = createAssemblies()
  try {
    return await work({ serverUrl, assemblies, references: createReferences(serverUrl) })
  } finally {
    await assemblies.remove()
  }
}
