import { perform } from '../../lambda/actions.ts'
import { messageOf } from '../../lambda/errors.ts'
import { OWN_NAME } from './chaos-server.ts'
import { differences } from './fingerprint.ts'
import { runWithFault, type FaultedRun } from './faulted-run.ts'
import { attempt, lockstepOn, requestFor } from './next-run.ts'
import { historyFaults, observe, type Observation } from './observe.ts'
import { openReference } from './reference.ts'
import type { Findings, Stage, State } from './round.ts'
import type { Fault, Scenario } from './scenario.ts'

/** What nobody but the application knows of, written after the snapshot. */
const LATER_ROW = "INSERT INTO thing_1 (id, name) VALUES (1000000, 'written after the snapshot')"

/** What the database held when the snapshot was taken, and what it came to hold afterwards. */
interface Versions {
  readonly uri: string
  readonly snapshot: Observation
  readonly later: Observation
}

/** A round of `restore`, in the place of the database; the restore that repairs may be hit as well. */
export async function restore(stage: Stage, scenario: Scenario): Promise<Findings> {
  const versions = await prepare(stage, scenario)
  const problems: string[] = []
  let before: State = 'old'
  let [struck, waitedMs, invocations] = [0, 0, 0]
  for (const fault of scenario.faults) {
    const tried = await tryRestore(stage, { versions, fault, before })
    problems.push(...tried.problems)
    before = tried.state
    struck += tried.struck ? 1 : 0
    waitedMs = Math.max(waitedMs, tried.waitedMs)
    invocations += 1
    if (problems.length > 0) break
  }
  const leftovers = (await databases(stage, 'restoring')).length
  problems.push(...(await restoreAgain(stage, scenario, versions)))
  return { state: before, problems, struck, invocations, waitedMs, leftovers, saidRunning: false }
}

interface Try {
  readonly state: State
  readonly struck: boolean
  readonly waitedMs: number
  readonly problems: readonly string[]
}

async function tryRestore(
  stage: Stage,
  { versions, fault, before }: { readonly versions: Versions; readonly fault: Fault; readonly before: State },
): Promise<Try> {
  const { server, database } = stage
  const url = server.url(database, 'proxied')
  const args = ['restore', versions.uri, '--database-url', url, '--snapshots', stage.snapshots]
  const run = await runWithFault(stage, fault, { kind: 'command', args })
  const began = performance.now()
  await untilNobodyIsIn(stage)
  const seen = await observe(server, database)
  const state = stateOf(seen, versions)
  const problems = [...judge(run, seen, { before, state }), ...(await keepsEverything(stage, versions, state))]
  return { state, struck: run.struck, waitedMs: performance.now() - began, problems }
}

async function prepare(stage: Stage, scenario: Scenario): Promise<Versions> {
  const { server, database } = stage
  const lockstep = lockstepOn(stage, scenario)
  const up = async (count: number): Promise<void> => {
    const problems = await attempt(lockstep, requestFor(scenario, 'up', count))
    if (problems.length > 0) throw new Error(problems.join(' '))
  }
  await up(scenario.start)
  const snapshot = await observe(server, database)
  const { uri } = await perform(lockstep, { action: 'snapshot' })
  await up(scenario.target)
  await server.query(database, LATER_ROW)
  return { uri, snapshot, later: await observe(server, database) }
}

function stateOf(seen: Observation, { snapshot, later }: Versions): State {
  if (isSame(seen, later)) return 'old'
  return isSame(seen, snapshot) ? 'new' : 'between'
}

function isSame(one: Observation, other: Observation): boolean {
  return differences(one.lines, other.lines).length === 0 && one.applied.join() === other.applied.join()
}

function judge(
  { hung, answer }: FaultedRun,
  seen: Observation,
  { before, state }: { readonly before: State; readonly state: State },
): readonly string[] {
  const problems = hung ? ['the command hung'] : []
  if (state === 'between') problems.push(`the database is neither old nor new: ${seen.lines.length} lines`)
  if (answer !== null && answer.error === undefined && state !== 'new')
    problems.push('the command said that it succeeded')
  if (answer?.error?.state.includes('is as it was') && state !== before)
    problems.push(`the command said: ${answer.error.state}`)
  return problems
}

/** Whatever was restored over is kept, whole, under another name. */
async function keepsEverything(stage: Stage, { later }: Versions, state: State): Promise<readonly string[]> {
  if (state === 'old') return []
  for (const name of await databases(stage, 'replaced')) {
    if (isSame(await observe(stage.server, name), later)) return []
  }
  return ['what the database held before the restore is in none of the databases']
}

async function restoreAgain(stage: Stage, scenario: Scenario, versions: Versions): Promise<readonly string[]> {
  const { server, database } = stage
  const lockstep = lockstepOn(stage, scenario)
  try {
    await perform(lockstep, { action: 'restore', uri: versions.uri })
  } catch (error) {
    return [`the next restore failed: ${messageOf(error)}`]
  }
  const isNew = isSame(await observe(server, database), versions.snapshot)
  const kept = await keepsEverything(stage, versions, 'new')
  if (!isNew || kept.length > 0)
    return [...kept, ...(isNew ? [] : ['the next restore did not bring the snapshot back'])]
  const { set } = scenario
  const failures = await attempt(lockstep, requestFor(scenario, 'up', set.length))
  const seen = await observe(server, database)
  const expected = await openReference(server, set).at({ applied: set.length, done: 0, undone: 0 })
  return [...failures, ...differences(expected, seen.lines), ...historyFaults(seen, set)]
}

async function databases({ server, database }: Stage, word: 'restoring' | 'replaced'): Promise<readonly string[]> {
  const sql = `SELECT datname::text AS name FROM pg_database WHERE datname ~ '^${database}_${word}_'`
  return (await server.query('postgres', sql)).map(({ name }) => String(name))
}

/** The sessions of a killed restore end within `client_connection_check_interval`, or when their statement does. */
async function untilNobodyIsIn({ server, database }: Stage): Promise<void> {
  const sql = `SELECT count(*)::int AS n FROM pg_stat_activity
WHERE datname ~ '^(${database}|postgres)' AND backend_type = 'client backend' AND application_name <> '${OWN_NAME}'`
  const deadline = performance.now() + 10_000
  while (performance.now() < deadline) {
    const [row] = await server.query('postgres', sql)
    if (row?.n === 0) return
  }
}
