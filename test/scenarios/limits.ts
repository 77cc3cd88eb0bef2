import { expectRows } from './expectations.ts'
import { whileMigrating } from './flow.ts'
import { crashFunction } from './happenings.ts'
import type { Theme } from './scenario.ts'
import { deploy } from './steps.ts'

const FAILED = {
  stackStatus: 'UPDATE_ROLLBACK_COMPLETE',
  state: 'old',
  calls: ['Update FAILED', 'Update SUCCESS'],
} as const

/** Seconds: eight of them are the function's own, for its answer. */
const SHORT = { timeoutSeconds: 11 }

const WHOLE_ERROR_SQL = `SELECT length(error->>'message') > 130000 AS whole FROM lockstep.runs WHERE status = 'failed'`

/** Time, memory, and the length of answers. */
export const LIMITS: Theme = {
  name: 'limits',
  scenarios: [
    {
      title: 'the time is over: the statement is stopped, with a clear answer',
      old: 'customers',
      new: 'orders',
      world: { limits: SHORT },
      steps: [deploy('customers'), deploy('endless')],
      expected: { ...FAILED, reason: [/DEADLINE_EXCEEDED/, /20260106000000_endless/, /as it was before/] },
    },
    {
      title: 'Lambda kills a function that does not stop',
      old: 'customers',
      new: 'orders',
      world: { limits: SHORT },
      steps: [deploy('customers'), deploy('stuck')],
      expected: { ...FAILED, reason: [/Task timed out after 11\.00 seconds/] },
    },
    {
      title: 'out of memory',
      old: 'customers',
      new: 'orders',
      world: { limits: { memoryMb: 320 } },
      steps: [deploy('customers'), deploy('hungry')],
      expected: { ...FAILED, reason: [/Runtime exited with error|memory/] },
    },
    {
      title: "the function's machine is lost",
      old: 'customers',
      new: 'orders',
      steps: [deploy('customers'), whileMigrating(deploy('slow'), crashFunction)],
      expected: { ...FAILED, reason: [/Runtime exited with error: signal: killed/] },
    },
    {
      title: 'a huge SQL error: short reason, whole in the log and in runs',
      old: 'customers',
      new: 'orders',
      steps: [deploy('customers'), deploy('fails at length'), expectRows(WHOLE_ERROR_SQL, [{ whole: true }])],
      expected: {
        ...FAILED,
        reason: [/^.{0,1000}$/m, /beginning ä long story/, /as it was before/],
        log: [/beginning (?:ä long story ){10000} end/],
      },
    },
  ],
}
