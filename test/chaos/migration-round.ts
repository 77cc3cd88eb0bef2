import { runWithFault } from './faulted-run.ts'
import { boundaries } from './migration-set.ts'
import { answerFaults } from './answer.ts'
import { attempt, lockstepOn, requestFor, waitForLock } from './next-run.ts'
import { historyFaults, observe, type Observation } from './observe.ts'
import { locate, type Found } from './places.ts'
import { openReference, type Place, type Reference } from './reference.ts'
import type { Findings, Stage, State } from './round.ts'
import type { Scenario } from './scenario.ts'

type MigrationScenario = Scenario & { readonly action: 'up' | 'down' }

/** A round of `up` or `down`. */
export async function runMigrations(stage: Stage, scenario: Scenario): Promise<Findings> {
  const { server, database } = stage
  const { set, action, start } = scenario
  if (action === 'restore') throw new Error('A restore is another kind of round.')
  const reference = openReference(server, set)
  const prepared = start === 0 ? [] : await attempt(lockstepOn(stage, scenario), requestFor(scenario, 'up', start))
  if (prepared.length > 0) throw new Error(prepared.join(' '))

  const run = await runWithFault(server, scenario.fault, commandLine(stage, { ...scenario, action }))
  const waitedMs = await waitForLock(stage)
  const seen = await observe(server, database)
  const found = await locate(seen, reference)
  const state = stateOf(found, { ...scenario, action }, seen.progress.length > 0)
  const next = await finish(stage, { ...scenario, action }, reference)
  return {
    state,
    struck: run.struck,
    waitedMs: waitedMs ?? Infinity,
    leftovers: 0,
    saidRunning: next.saidRunning,
    problems: [
      ...(run.hung ? ['the command hung'] : []),
      ...(waitedMs === null ? ['the lock was not free within 10 s'] : []),
      ...(state === 'between' ? between(found, seen) : []),
      ...historyFaults(
        seen,
        set.map(({ id }) => id),
      ),
      ...answerFaults(run.answer, { state, current: seen.applied.at(-1) ?? null }),
      ...next.problems,
    ],
  }
}

function commandLine({ server, database, files }: Stage, scenario: MigrationScenario): readonly string[] {
  const target = scenario.set[scenario.target - 1]?.id ?? 'base'
  return [
    scenario.action,
    '--to',
    target,
    '--database-url',
    server.url(database, 'proxied'),
    '--migrations',
    files,
    '--transaction',
    scenario.scope,
    '--lock-timeout',
    '20',
    '--no-snapshot',
  ]
}

function stateOf(found: Found, scenario: MigrationScenario, isUnderWay: boolean): State {
  if (found.kind === 'between') return 'between'
  const { applied, done, undone }: Place = found.place
  if (done + undone > 0 || isUnderWay) return 'partial'
  if (applied === scenario.start) return 'old'
  if (applied === scenario.target) return 'new'
  return boundaries(scenario.set, scenario).has(applied) ? 'prefix' : 'between'
}

function between(found: Found, { applied, progress }: Observation): readonly string[] {
  const told = `${applied.length} applied${progress.map(({ id, direction, done, inFlight }) => `, the ${direction} of ${id} up to statement ${done}${inFlight ? ' (another in flight)' : ''}`).join('')}`
  if (found.kind === 'place') return [`${told}: no place where this run may stop`]
  return [`the history says ${told}, but: ${found.differences.slice(0, 4).join('; ')}`]
}

/** What follows without a fault: the same run again, then everything, and what the database has come to. */
async function finish(
  stage: Stage,
  scenario: MigrationScenario,
  reference: Reference,
): Promise<{ readonly problems: readonly string[]; readonly saidRunning: boolean }> {
  const lockstep = lockstepOn(stage, scenario)
  const { set, action, target } = scenario
  const problems = await reach(stage, scenario, reference, action, target)
  if (problems.length === 0 && target < set.length) {
    problems.push(...(await reach(stage, scenario, reference, 'up', set.length)))
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

async function reach(
  stage: Stage,
  scenario: Scenario,
  reference: Reference,
  action: 'up' | 'down',
  count: number,
): Promise<string[]> {
  const failures = await attempt(lockstepOn(stage, scenario), requestFor(scenario, action, count))
  if (failures.length > 0) return [...failures]
  const seen = await observe(stage.server, stage.database)
  const found = await locate(seen, reference)
  const isThere = found.kind === 'place' && found.place.applied === count && seen.progress.length === 0
  const missed = isThere ? [] : between(found, seen).map((problem) => `after the next ${action}, ${problem}`)
  return [
    ...missed,
    ...historyFaults(
      seen,
      scenario.set.map(({ id }) => id),
    ),
  ]
}

async function isSaidToRun({ server, database }: Stage): Promise<boolean> {
  return (await observe(server, database)).runs.some(({ status }) => status === 'running')
}
