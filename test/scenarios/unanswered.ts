import { expectRuns } from './expectations.ts'
import { deleteFramework, loseAnswer } from './happenings.ts'
import type { Theme } from './scenario.ts'
import { continueUpdateRollback, deploy } from './steps.ts'

/** CloudFormation's own words: nobody else had any. */
const UNANSWERED = /did not receive a response from your Custom Resource\. Please check your logs for requestId/
const TAKEN_BACK = { stackStatus: 'UPDATE_ROLLBACK_COMPLETE', calls: ['Update TIMEOUT', 'Update SUCCESS'] } as const

/** The rollback, too, must be answered within it, on a slow machine. Seconds. */
const ENOUGH_TO_TAKE_BACK = 8

/** Events to which CloudFormation gets no answer until the ServiceTimeout is over. */
export const UNANSWERED_EVENTS: Theme = {
  name: 'unanswered',
  scenarios: [
    {
      title: 'the ServiceTimeout is over while the migration is at work: taken back',
      old: 'customers',
      new: 'orders',
      steps: [deploy('customers'), deploy('endless', { serviceTimeout: ENOUGH_TO_TAKE_BACK })],
      expected: { ...TAKEN_BACK, state: 'old', reason: [UNANSWERED] },
    },
    {
      title: 'the same on the first deployment: nothing is left',
      old: 'nothing',
      new: 'orders',
      steps: [deploy('endless', { serviceTimeout: ENOUGH_TO_TAKE_BACK })],
      expected: {
        stackStatus: 'ROLLBACK_COMPLETE',
        state: 'old',
        calls: ['Create TIMEOUT', 'Delete SUCCESS'],
        reason: [UNANSWERED],
      },
    },
    {
      title: 'the migration has succeeded, its answer is lost: reverted',
      old: 'customers',
      new: 'orders',
      steps: [deploy('customers'), loseAnswer, deploy('orders'), expectRuns(3)],
      expected: { ...TAKEN_BACK, state: 'old', data: { Reverted: '1' }, reason: [UNANSWERED] },
    },
    {
      title: 'the answer of a creation is lost: reverted under the id that CloudFormation makes up',
      old: 'nothing',
      new: 'orders',
      steps: [loseAnswer, deploy('orders')],
      expected: {
        stackStatus: 'ROLLBACK_COMPLETE',
        state: 'old',
        calls: ['Create TIMEOUT', 'Delete SUCCESS'],
        reason: [UNANSWERED],
        log: [/what its creation applied was reverted/],
      },
    },
    {
      title: "the framework's function is gone: nothing is touched, and the rollback is continued without the resource",
      old: 'customers',
      new: 'orders',
      steps: [
        deploy('customers'),
        deleteFramework,
        deploy('orders', { ends: 'UPDATE_ROLLBACK_FAILED', says: [UNANSWERED] }),
        continueUpdateRollback({ skipFailed: true }),
      ],
      expected: { stackStatus: 'UPDATE_ROLLBACK_COMPLETE', state: 'old', calls: [] },
    },
  ],
}
