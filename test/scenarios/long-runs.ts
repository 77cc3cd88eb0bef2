import { ENVIRONMENT } from '../../lambda/contract.ts'
import { expectInvocations } from './expectations.ts'
import type { Theme } from './scenario.ts'
import { deploy } from './steps.ts'

/** Two naps take more than the half of it, after which the rest is left to the next invocation. */
const INVOCATION = { limits: { timeoutSeconds: 24 } }
const LONG = { context: { totalTimeout: '60' } }

/** Seconds for the whole run. */
const LIMIT = 36

/** Runs that one invocation of the function is too short for. */
export const LONG_RUNS: Theme = {
  name: 'long runs',
  scenarios: [
    {
      title: 'longer than one invocation: continued by isComplete',
      old: 'customers',
      new: 'naps',
      world: INVOCATION,
      steps: [deploy('customers', LONG), deploy('naps', LONG), expectInvocations(3)],
      expected: {
        stackStatus: 'UPDATE_COMPLETE',
        state: 'new',
        calls: ['Update SUCCESS'],
        data: { Applied: '3', Current: '20260113000000_third' },
      },
    },
    {
      title: 'continued, then a later resource fails: all of it reverted',
      old: 'customers',
      new: 'naps',
      world: INVOCATION,
      steps: [deploy('customers', LONG), deploy('naps', { ...LONG, failLater: true })],
      expected: {
        stackStatus: 'UPDATE_ROLLBACK_COMPLETE',
        state: 'old',
        calls: ['Update SUCCESS', 'Update SUCCESS'],
        data: { Reverted: '3' },
      },
    },
    {
      title: 'the total time is over: stopped with a clear answer, reverted',
      old: 'customers',
      new: 'naps',
      world: { ...INVOCATION, environment: { [ENVIRONMENT.totalTimeout]: String(LIMIT) } },
      steps: [deploy('customers', LONG), deploy('naps without end', LONG)],
      expected: {
        stackStatus: 'UPDATE_ROLLBACK_COMPLETE',
        state: 'old',
        calls: ['Update FAILED', 'Update SUCCESS'],
        reason: [/DEADLINE_EXCEEDED/, /as it was before/, /totalTimeout/],
      },
    },
  ],
}
