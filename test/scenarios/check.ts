import type { Deployment } from '../support/cloudformation/stack-types.ts'
import { until } from '../support/wait.ts'
import type { Outcome } from './play.ts'
import type { Expected, Scenario } from './scenario.ts'
import type { Stage } from './stage.ts'
import { reasonsOf } from './steps.ts'

/** CloudFormation does not look at a longer answer. */
const ANSWER_LIMIT_BYTES = 4096

/** A server notices within seconds that the process on the other side is gone. Milliseconds. */
const LOCK_PATIENCE_MS = 15_000

const LOCKS_SQL = `SELECT pid FROM pg_locks
WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`

/** Holds the end of a scenario against what is expected of it, and of every one. */
export async function checkEnd(stage: Stage, scenario: Scenario): Promise<Omit<Outcome, 'title' | 'seconds'>> {
  for (const stack of stage.stacks()) await stack.settled()
  const locks = await checkLocks(stage)
  const { state, differences } = await stage.look()
  const responses = stage.stacks().flatMap((stack) => stack.responses())
  const bytes = Math.max(0, ...responses.map((response) => response.bytes))
  const last = stage.deployments.at(-1)
  const problems = [
    ...stage.problems,
    ...(last === undefined ? ['nothing was deployed'] : checkAct(last, scenario.expected)),
    ...checkState(state, differences, scenario.expected),
    ...(bytes > ANSWER_LIMIT_BYTES ? [`an answer to CloudFormation had ${bytes} bytes`] : []),
    ...locks,
    ...checkCalls(stage, scenario.expected),
    ...(await checkLog(stage, scenario.expected)),
    ...(await checkSecrets(stage)),
  ]
  const reason = last === undefined ? '' : reasonsOf(last)
  return { stackStatus: last?.stackStatus ?? '', state, bytes, reason, events: eventsOf(last), problems }
}

/** Those of the stack, of what failed, and of what has a function to be asked. */
function eventsOf(deployment: Deployment | undefined): readonly string[] {
  const { events = [], responses = [] } = deployment ?? {}
  const asked = new Set(responses.map(({ event }) => event.LogicalResourceId))
  return events
    .filter(({ logicalId, status }) => asked.has(logicalId) || status.endsWith('_FAILED') || isOfStack(status))
    .map(({ logicalId, status, reason = '' }) => onOneLine(`${status} ${logicalId} ${reason}`, 160))
}

/** No resource has such a status. */
function isOfStack(status: string): boolean {
  return status.includes('ROLLBACK') || status.includes('CLEANUP')
}

function checkAct(deployment: Deployment, expected: Expected): readonly string[] {
  const calls = deployment.responses.map(({ event, status }) => `${event.RequestType} ${status}`)
  const reasons = reasonsOf(deployment)
  const data = deployment.responses.at(-1)?.data ?? {}
  return [
    ...differing('the stack is', expected.stackStatus, deployment.stackStatus),
    ...(expected.calls === undefined ? [] : differing('the calls were', expected.calls.join(', '), calls.join(', '))),
    ...(expected.reason ?? []).filter((text) => !text.test(reasons)).map((text) => `the reason lacks ${String(text)}`),
    ...Object.entries(expected.data ?? {}).flatMap(([key, value]) => differing(`${key} is`, value, String(data[key]))),
  ]
}

function differing(what: string, expected: string, found: string): readonly string[] {
  return expected === found ? [] : [`${what} ${found || 'none'} in place of ${expected || 'none'}`]
}

function checkState(found: Outcome['state'], differences: readonly string[], expected: Expected): readonly string[] {
  const shown = differences.slice(0, 6).map(onOneLine).join('; ')
  return differing('the database is', expected.state, found).map((text) => (shown === '' ? text : `${text}: ${shown}`))
}

function onOneLine(text: string, most = 100): string {
  const line = text.replaceAll(/\s+/g, ' ').trim()
  return line.length > most ? `${line.slice(0, most - 1)}…` : line
}

async function checkLocks({ world }: Stage): Promise<readonly string[]> {
  const databases = [world.database, ...(world.otherDatabase === undefined ? [] : [world.otherDatabase])]
  const isFree = async (): Promise<boolean> => {
    const locks = await Promise.all(databases.map(({ rows }) => rows(LOCKS_SQL)))
    return locks.flat().length === 0
  }
  try {
    await until(isFree, LOCK_PATIENCE_MS)
    return []
  } catch {
    return [`a session still holds the lock after ${LOCK_PATIENCE_MS / 1000} s`]
  }
}

function checkCalls({ world }: Stage, { callsWithinSeconds = Infinity }: Expected): readonly string[] {
  return world
    .migrationFunctions()
    .flatMap((name) => world.lambda.invocations(name))
    .filter(({ durationMs }) => durationMs > callsWithinSeconds * 1000)
    .map(({ durationMs }) => `a call took ${Math.round(durationMs / 1000)} s in place of ${callsWithinSeconds} s`)
}

async function checkLog({ world }: Stage, { log = [] }: Expected): Promise<readonly string[]> {
  if (log.length === 0) return []
  const said = await world.lambda.logs()
  return log.filter((text) => !text.test(said)).map((text) => `the log lacks ${String(text)}`)
}

async function checkSecrets({ world, secretTexts }: Stage): Promise<readonly string[]> {
  const said = await world.everythingSaid()
  return secretTexts.some((text) => said.includes(text)) ? ['a password was said'] : []
}
