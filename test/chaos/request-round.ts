import { answerFaults } from './answer.ts'
import type { Job } from './command.ts'
import { runWithFault, type FaultedRun } from './faulted-run.ts'
import { finish } from './finish.ts'
import { snapshotFaults } from './listed-snapshots.ts'
import { writeSet } from './migration-set.ts'
import { configOn, prepare, requestFor, waitForLock } from './next-run.ts'
import { historyFaults, isSamePlace, observe, type Observation } from './observe.ts'
import { describeBetween, locate } from './places.ts'
import { openReference, type Reference } from './reference.ts'
import type { Findings, Stage, State } from './round.ts'
import type { Scenario } from './scenario.ts'

const REQUEST_ID = 'request-of-the-round'
/** Each does something or is killed, so that there cannot be many. */
const MOST_DELIVERIES = 80

/** A round of `request`: one request of the function is delivered, killed, paused and delivered again until it has ended. */
export async function deliverRequest(stage: Stage, scenario: Scenario): Promise<Findings> {
  const { server, database } = stage
  const { set, deliveries } = scenario
  const reference = openReference(server, set)
  await prepare(stage, scenario)
  await writeSet(stage.files, set, deliveries.failing)
  const first = await observe(server, database)
  const delivered = await deliver(stage, scenario, reference)
  const last = await observe(server, database)
  const { state, problems } = await judge(scenario, { first, last, reference, delivered })
  const again = await deliverAgain(stage, scenario, delivered.answer, last)
  const snapshots = await snapshotFaults(stage, scenario, { first, last })
  await writeSet(stage.files, set)
  const next = await finish(stage, scenario, reference)
  return {
    state,
    struck: delivered.struck,
    waitedMs: delivered.waitedMs,
    leftovers: 0,
    invocations: delivered.invocations,
    saidRunning: next.saidRunning,
    problems: [...delivered.problems, ...problems, ...again, ...snapshots, ...next.problems],
  }
}

interface Delivered {
  readonly answer: FaultedRun['answer']
  readonly invocations: number
  readonly struck: number
  readonly waitedMs: number
  /** Whether every fault that struck was a kill, after which the next delivery goes on. */
  readonly onlyKilled: boolean
  readonly problems: readonly string[]
}

async function deliver(stage: Stage, scenario: Scenario, reference: Reference): Promise<Delivered> {
  const problems: string[] = []
  let [struck, waitedMs, onlyKilled] = [0, 0, true]
  for (let index = 0; index < MOST_DELIVERIES; index += 1) {
    const fault = scenario.faults[index] ?? null
    const run = await runWithFault(stage, fault, deliveryOf(stage, scenario, index))
    if (run.hung) problems.push('a delivery hung')
    if (run.struck) {
      struck += 1
      onlyKilled &&= fault?.kind === 'kill'
      if (scenario.deliveries.apart) {
        waitedMs = Math.max(waitedMs, (await waitForLock(stage)) ?? Infinity)
        problems.push(...(await look(stage, scenario, reference)))
      }
    }
    const isOver = run.answer !== null && run.answer.status !== 'paused' && (await hasEnded(stage))
    if (isOver || problems.length > 0)
      return { answer: run.answer, invocations: index + 1, struck, waitedMs, onlyKilled, problems }
  }
  const problem = `the request has not ended after ${MOST_DELIVERIES} deliveries`
  return { answer: null, invocations: MOST_DELIVERIES, struck, waitedMs, onlyKilled, problems: [problem] }
}

function deliveryOf(stage: Stage, scenario: Scenario, index: number): Job {
  const { direction, target, takesSnapshot, deliveries } = scenario
  return {
    kind: 'delivery',
    config: {
      ...configOn(stage, scenario, 'proxied'),
      snapshotMode: takesSnapshot ? 'logical' : 'none',
      lockTimeoutMs: 20_000,
    },
    request: { ...requestFor(scenario, direction, target), requestId: REQUEST_ID },
    pauseAfter: deliveries.pauses[index % deliveries.pauses.length] ?? null,
  }
}

/** An answer that could not be recorded, as when the server was away, leaves the request to its next delivery. */
async function hasEnded({ server, database }: Stage): Promise<boolean> {
  const { runs } = await observe(server, database)
  return runs.some(({ request, status }) => request === REQUEST_ID && ['succeeded', 'failed'].includes(status))
}

/** In the middle of a request the database is where the history says, wherever that is. */
async function look(stage: Stage, scenario: Scenario, reference: Reference): Promise<readonly string[]> {
  const seen = await observe(stage.server, stage.database)
  const found = await locate(seen, { ...scenario, reference })
  const lost = found.kind === 'between' ? describeBetween(found, seen) : []
  return [...lost, ...historyFaults(seen, scenario.set)].map(
    (problem) => `after a delivery that was cut off, ${problem}`,
  )
}

interface Judged {
  readonly first: Observation
  readonly last: Observation
  readonly reference: Reference
  readonly delivered: Delivered
}

async function judge(
  scenario: Scenario,
  { first, last, reference, delivered }: Judged,
): Promise<{ readonly state: State; readonly problems: readonly string[] }> {
  const { set, start, target, deliveries } = scenario
  const { answer, onlyKilled } = delivered
  const found = await locate(last, { set, reference })
  if (found.kind === 'between') return { state: 'between', problems: describeBetween(found, last) }
  const isWhole = last.progress.length === 0
  const ends: Readonly<Record<number, State>> = { [start]: 'old', [target]: 'new' }
  const state = isWhole ? (ends[last.applied.length] ?? 'prefix') : 'partial'
  const expected = deliveries.failing === null ? 'new' : 'old'
  const said = `the request ended as "${String(answer?.status)}" (${answer?.error?.message ?? 'no error'} ${answer?.error?.state ?? ''})`
  return {
    state,
    problems: [
      ...historyFaults(last, set),
      ...answerFaults(answer, {
        state,
        current: last.applied.at(-1) ?? null,
        unchanged: isSamePlace(first, last),
      }),
      ...(onlyKilled && state !== expected ? [`${said}, and the database is ${state}, not ${expected}`] : []),
      ...(answer?.status === 'succeeded' && deliveries.failing !== null ? [`${said}, but a migration fails`] : []),
      ...runFaults(scenario, first, last),
    ],
  }
}

/** One request is one run, and what it applied is its own. */
function runFaults({ start }: Scenario, first: Observation, last: Observation): readonly string[] {
  const known = new Set(first.runs.map(({ id }) => id))
  const own = last.runs.filter(({ id }) => !known.has(id))
  const [run] = own
  if (run === undefined || own.length > 1) return [`the request has ${own.length} runs: ${JSON.stringify(own)}`]
  const strangers = last.appliedBy.slice(start).filter((id) => id !== run.id)
  return [
    ...(run.request === REQUEST_ID ? [] : [`the run of the request says that it is of ${String(run.request)}`]),
    ...(strangers.length === 0 ? [] : [`${strangers.length} migrations of the request were applied by another run`]),
  ]
}

/** Delivered once more, it is answered the same, and nothing happens. */
async function deliverAgain(
  stage: Stage,
  scenario: Scenario,
  answer: FaultedRun['answer'],
  last: Observation,
): Promise<readonly string[]> {
  if (answer === null) return []
  const { answer: second } = await runWithFault(stage, null, deliveryOf(stage, scenario, 0))
  const seen = await observe(stage.server, stage.database)
  const isSame = second?.status === answer.status && second?.runId === answer.runId
  return [
    ...(isSame ? [] : [`a second answer differs: ${JSON.stringify([answer, second])}`]),
    ...(isSamePlace(last, seen) && seen.runs.length === last.runs.length ? [] : ['a second delivery did something']),
  ]
}
