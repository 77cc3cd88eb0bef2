import { expect, test } from 'vitest'
import { invokeWithRetries } from '../../support/lambda/asynchronous.ts'
import type { Invocation } from '../../support/lambda/invocation.ts'

const GOOD: Invocation = {
  functionName: 'f',
  requestId: 'r',
  event: '{}',
  payload: 'null',
  durationMs: 1,
  maxMemoryMb: 1,
}
const BAD: Invocation = { ...GOOD, functionError: 'Unhandled' }

test.each<readonly [string, readonly Invocation[], readonly number[]]>([
  ['that succeeds is over', [GOOD], [0]],
  ['that fails is run again after a minute, and after two more', [BAD, BAD, BAD], [0, 60, 180]],
  ['that succeeds the second time is over', [BAD, GOOD], [0, 60]],
])('an asynchronous invocation %s', async (_name, results, expected) => {
  const runs: number[] = []
  let seconds = 0
  const invoke = async (): Promise<Invocation> => {
    runs.push(seconds)
    return results[runs.length - 1] ?? BAD
  }
  await invokeWithRetries(invoke, async (milliseconds) => void (seconds += milliseconds / 1000))
  expect(runs).toEqual(expected)
})
