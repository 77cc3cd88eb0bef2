import { Duration, Stack } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import { describe, expect, it } from 'vitest'
import { runTime } from '../../infra/run-time.ts'
import type { EngineContext } from '../../lambda/engine/context.ts'
import type { Connection } from '../../lambda/engine/database.ts'
import { lockTimeoutLeft, noLockWaits } from '../../lambda/engine/lock/lock-budget.ts'
import { openSession, stepTimeoutsSql } from '../../lambda/engine/session/session.ts'
import { ANSWER_MARGIN_MS, connectWithinMs, invocationTime } from '../../lambda/invocation-time.ts'
import { silentLog } from '../../lambda/log.ts'
import { reportThrownBy } from '../support/report.ts'
import { createMigration, createStack, type TemplateResource } from './fixtures.ts'

/** Every totalTimeout that can be given, in seconds. */
const ALL = Array.from({ length: 3600 - 60 + 1 }, (_, index) => 60 + index)
/** From one invocation that is as short as it can be to the most of them. */
const SOME = [60, 61, 90, 300, 839, 840, 841, 900, 1800, 3539, 3540, 3541, 3600]

/** docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html */
const LONGEST_FUNCTION_SECONDS = 900
/** docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-cloudformation-customresource.html */
const LONGEST_SERVICE_SECONDS = 3600

const stack = new Stack()

function timesOf(totalSeconds: number) {
  const time = runTime(stack, Duration.seconds(totalSeconds))
  const invocation = time.invocation.toSeconds()
  return { invocation, run: time.allInvocations?.toSeconds() ?? invocation, service: time.service.toSeconds() }
}

describe('the times that are derived from totalTimeout', () => {
  it.each<[string, (times: ReturnType<typeof timesOf>, total: number) => boolean]>([
    [
      'an invocation ends a minute before Lambda ends any',
      ({ invocation }) => invocation <= LONGEST_FUNCTION_SECONDS - 60,
    ],
    ['an invocation is no longer than the run', ({ invocation, run }) => invocation <= run],
    ['the run is no longer than it may be', ({ run }, total) => run <= total],
    ['a minute is left to answer after the run', ({ run, service }) => service - run === 60],
    ['CloudFormation can wait so long', ({ service }) => service <= LONGEST_SERVICE_SECONDS],
    [
      'an invocation is no shorter than with less',
      ({ invocation }, total) => invocation >= timesOf(Math.max(60, total - 1)).invocation,
    ],
    ['a run is no shorter than with less', ({ run }, total) => run >= timesOf(Math.max(60, total - 1)).run],
  ])('%s', (_, holds) => {
    expect(ALL.filter((total) => !holds(timesOf(total), total))).toEqual([])
  })
})

describe("the framework's times", () => {
  it.each(SOME)('are longer than those of the function, with a totalTimeout of %d s', (total) => {
    const stack = createStack()
    createMigration(stack, { totalTimeout: Duration.seconds(total) })
    const template = Template.fromStack(stack)
    const { invocation, service, run } = timesOf(total)
    const framework = timeoutsOf(template, /^framework\./)

    expect(timeoutsOf(template, /^index\.handler$/)).toContain(invocation)
    for (const timeout of framework) expect(timeout).toBeGreaterThan(invocation)
    const waiter = waiterOf(template)
    expect(waiter === null).toBe(run === invocation)
    if (waiter === null) return
    expect(waiter.interval * waiter.attempts).toBeGreaterThanOrEqual(service)
    // Whoever paused a moment before the end of the run is followed by one that only says that it is over.
    expect(run + waiter.interval + (2 * ANSWER_MARGIN_MS) / 1000).toBeLessThan(service)
  })
})

function timeoutsOf(template: Template, handler: RegExp): readonly number[] {
  const functions = Object.values(template.findResources('AWS::Lambda::Function')) as TemplateResource[]
  return functions
    .filter(({ Properties }) => handler.test(String(Properties['Handler'])))
    .map(({ Properties }) => Number(Properties['Timeout']))
}

/** How the framework asks whether a run is complete. */
function waiterOf(template: Template): { readonly interval: number; readonly attempts: number } | null {
  const [machine] = Object.values(template.findResources('AWS::StepFunctions::StateMachine')) as TemplateResource[]
  if (machine === undefined) return null
  const definition = JSON.stringify(machine.Properties['DefinitionString'])
  const found = /IntervalSeconds\W+(\d+)\W+MaxAttempts\W+(\d+)\W+BackoffRate\W+1\W/.exec(definition)
  return { interval: Number(found?.[1]), attempts: Number(found?.[2]) }
}

describe('what an invocation does', () => {
  it('ends before it, whatever invocation of a run it is', () => {
    for (const total of SOME) {
      const { invocation, run } = timesOf(total)
      const deadline = run === invocation ? null : run
      const starts = deadline === null ? [0] : ALL.filter((began) => began < run && began % 30 === 0)
      for (const began of starts) {
        const left = at(began, { invocation, deadline }).remainingMs()
        expect(left).toBeLessThanOrEqual(Math.min(invocation, run - began) * 1000)
        expect(statementTimeoutMs(left)).toBeLessThanOrEqual(Math.max(1000, left - ANSWER_MARGIN_MS))
        const forTheAnswer = Math.min(ANSWER_MARGIN_MS, left / 2)
        expect(connectWithinMs(left)).toBeLessThanOrEqual(Math.max(1000, left - forTheAnswer))
      }
    }
  })

  it('is paused where there is time after its end, and only there', () => {
    expect(SOME.filter(pauses)).toEqual(SOME.filter((total) => total > 840))
  })

  it('waits for a lock of the set no longer than it has, and says for how long', async () => {
    for (const total of SOME) {
      const { invocation } = timesOf(total)
      for (const lockTimeoutMs of [1000, 300_000, 3_600_000]) {
        const { context, passedMs } = withHeldLock(invocation * 1000, lockTimeoutMs)
        const { code, message } = await reportThrownBy(() => openSession(context))
        expect(code).toBe('LOCK_HELD')
        expect(passedMs()).toBeLessThanOrEqual(invocation * 1000 - ANSWER_MARGIN_MS)
        const waited = Math.min(lockTimeoutMs / 1000, invocation - 10)
        expect(message).toContain(`did not end within ${waited} s`)
      }
    }
  })

  it('waits for the lock of a table a shorter time than a statement may take', () => {
    const shortest = statementTimeoutMs(timesOf(60).invocation * 1000)
    expect(lockTimeoutLeft({ lockTimeoutMs: null }, noLockWaits())).toBeLessThan(shortest)
  })
})

/** The time of an invocation that began so many seconds after the run, some seconds later. */
function at(began: number, { invocation, deadline }: { invocation: number; deadline: number | null }, elapsed = 0) {
  let now = began * 1000
  const own = (): number => (began + invocation) * 1000 - now
  const time = invocationTime(own, () => now, deadline === null ? null : deadline * 1000)
  now += elapsed * 1000
  return time
}

/** Whether a run with this totalTimeout ever pauses in its first invocation. */
function pauses(total: number): boolean {
  const { invocation, run } = timesOf(total)
  const deadline = run === invocation ? null : run
  const times = Array.from({ length: invocation }, (_, elapsed) => elapsed)
  return times.some((elapsed) => at(0, { invocation, deadline }, elapsed).shouldPause())
}

function statementTimeoutMs(remaining: number): number {
  const [, value] = /statement_timeout = (\d+)/.exec(stepTimeoutsSql({ remainingMs: () => remaining })) ?? []
  return Number(value)
}

/** Somebody else holds the lock for ever; sleeping takes no time. */
function withHeldLock(wholeMs: number, lockTimeoutMs: number) {
  let passed = 0
  const connection: Connection = {
    processId: 1,
    server: 'nowhere:1',
    isOpen: () => true,
    isInTransaction: () => false,
    abandon: () => {},
    execute: async () => [{ rows: [{ locked: false, backend: 1, ready: true, database: 'd' }], rowCount: 1 }],
    query: async () => ({ rows: [], rowCount: 0 }),
    close: async () => {},
  }
  const context: EngineContext = {
    connect: async () => connection,
    set: 'default',
    schema: 'lockstep',
    scope: 'run',
    trigger: 'deployment',
    appliedBy: 'test',
    version: '0.0.0-test',
    lockTimeoutMs,
    remainingMs: () => wholeMs - passed,
    shouldPause: () => false,
    newRunId: () => 'r',
    clock: { now: () => new Date(passed), monotonic: () => passed, sleep: async (ms) => void (passed += ms) },
    log: silentLog,
  }
  return { context, passedMs: () => passed }
}
