import { answerFaults } from './answer.ts'
import type { Job } from './command.ts'
import { runWithFault, type FaultedRun } from './faulted-run.ts'
import { finish } from './finish.ts'
import { boundaries } from './migration-set.ts'
import { prepare, waitForLock } from './next-run.ts'
import { historyFaults, isTakenBack, observe, type Observation } from './observe.ts'
import { describeBetween, locate, type Found } from './places.ts'
import { openReference, type Reference } from './reference.ts'
import { snapshotFaults } from './listed-snapshots.ts'
import type { Findings, Stage, State } from './round.ts'
import type { Fault, Scenario } from './scenario.ts'

/** A round of `up` or `down`: the run is hit, and so may be the next one that repairs. */
export async function runMigrations(stage: Stage, scenario: Scenario): Promise<Findings> {
  const reference = openReference(stage.server, scenario.set)
  await prepare(stage, scenario)
  let before = await observe(stage.server, stage.database)
  const first = before
  const tries: Try[] = []
  for (const fault of scenario.faults) {
    const tried = await tryRun(stage, scenario, { fault, before, reference })
    tries.push(tried)
    before = tried.seen
    if (tried.problems.length > 0) break
  }
  const snapshots = await snapshotFaults(stage, scenario, { first, last: before })
  const next = await finish(stage, scenario, reference)
  return {
    state: tries.at(-1)?.state ?? 'between',
    struck: tries.filter(({ run }) => run.struck).length,
    waitedMs: Math.max(...tries.map(({ waitedMs }) => waitedMs ?? Infinity)),
    leftovers: 0,
    invocations: tries.length,
    saidRunning: next.saidRunning,
    problems: [...tries.flatMap(({ problems }) => problems), ...snapshots, ...next.problems],
  }
}

interface Try {
  readonly run: FaultedRun
  readonly waitedMs: number | null
  readonly seen: Observation
  readonly state: State
  readonly problems: readonly string[]
}

async function tryRun(
  stage: Stage,
  scenario: Scenario,
  { fault, before, reference }: { readonly fault: Fault; readonly before: Observation; readonly reference: Reference },
): Promise<Try> {
  const { server, database } = stage
  const run = await runWithFault(stage, fault, commandFor(stage, scenario))
  const waitedMs = await waitForLock(stage)
  const seen = await observe(server, database)
  const found = await locate(seen, { ...scenario, reference })
  const state = stateOf(found, scenario, seen.progress.length > 0)
  const current = seen.applied.at(-1) ?? null
  return {
    run,
    waitedMs,
    seen,
    state,
    problems: [
      ...(run.hung ? ['the command hung'] : []),
      ...(waitedMs === null ? ['the lock was not free within 10 s'] : []),
      ...(state === 'between' ? describeBetween(found, seen) : []),
      ...historyFaults(seen, scenario.set),
      ...answerFaults(run.answer, { state, current, unchanged: isTakenBack(before, seen) }),
    ],
  }
}

function commandFor({ server, database, files, snapshots }: Stage, scenario: Scenario): Job {
  const target = scenario.set[scenario.target - 1]?.id ?? 'base'
  const args = [
    scenario.direction,
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
    '--snapshots',
    snapshots,
  ]
  return { kind: 'command', args: scenario.takesSnapshot ? args : [...args, '--no-snapshot'] }
}

function stateOf(found: Found, scenario: Scenario, isUnderWay: boolean): State {
  if (found.kind === 'between') return 'between'
  const { applied, done, undone } = found.place
  if (done + undone > 0 || isUnderWay) return 'partial'
  if (applied === scenario.start) return 'old'
  if (applied === scenario.target) return 'new'
  return boundaries(scenario.set, scenario).has(applied) ? 'prefix' : 'between'
}
