import { attempt, lockstepOn, requestFor } from './next-run.ts'
import { historyFaults, observe } from './observe.ts'
import { describeBetween, locate } from './places.ts'
import type { Reference } from './reference.ts'
import type { Stage } from './round.ts'
import type { Scenario } from './scenario.ts'

/** What follows without a fault: the same run again, then everything, and what the database has come to. */
export async function finish(
  stage: Stage,
  scenario: Scenario,
  reference: Reference,
): Promise<{ readonly problems: readonly string[]; readonly saidRunning: boolean }> {
  const lockstep = lockstepOn(stage, scenario)
  const { set, direction, target } = scenario
  const problems = scenario.turns ? await turn(stage, scenario, reference) : []
  if (problems.length === 0) problems.push(...(await reach(stage, scenario, { reference, direction, count: target })))
  if (problems.length === 0 && target < set.length) {
    problems.push(...(await reach(stage, scenario, { reference, direction: 'up', count: set.length })))
  }
  if (problems.length > 0) return { problems, saidRunning: false }
  const saidRunning = await isSaidToRun(stage)
  if (saidRunning) {
    // With nothing left to do nothing is written; the next run that writes must correct the record.
    problems.push(...(await attempt(lockstep, { action: 'down', target: { kind: 'steps', steps: 1 } })))
    problems.push(...(await attempt(lockstep, requestFor(scenario, 'up', set.length))))
    if (await isSaidToRun(stage)) problems.push('a run is said to be running for ever')
  }
  return { problems, saidRunning }
}

/** As far as it goes in the other direction. */
async function turn(stage: Stage, scenario: Scenario, reference: Reference): Promise<string[]> {
  const { set } = scenario
  const direction = scenario.direction === 'up' ? 'down' : 'up'
  await attempt(lockstepOn(stage, scenario), requestFor(scenario, direction, direction === 'up' ? set.length : 0))
  const seen = await observe(stage.server, stage.database)
  const found = await locate(seen, { set, reference })
  const missed = found.kind === 'place' ? [] : describeBetween(found, seen)
  return [...missed, ...historyFaults(seen, set)].map((problem) => `after a ${direction} instead, ${problem}`)
}

async function reach(
  stage: Stage,
  scenario: Scenario,
  goal: { readonly reference: Reference; readonly direction: 'up' | 'down'; readonly count: number },
): Promise<string[]> {
  const { reference, direction, count } = goal
  const failures = await attempt(lockstepOn(stage, scenario), requestFor(scenario, direction, count))
  if (failures.length > 0) return [...failures]
  const seen = await observe(stage.server, stage.database)
  const found = await locate(seen, { ...scenario, reference })
  const isThere = found.kind === 'place' && found.place.applied === count && seen.progress.length === 0
  const missed = isThere ? [] : describeBetween(found, seen).map((problem) => `after the next ${direction}, ${problem}`)
  return [...missed, ...historyFaults(seen, scenario.set)]
}

async function isSaidToRun({ server, database }: Stage): Promise<boolean> {
  return (await observe(server, database)).runs.some(({ status }) => status === 'running')
}
