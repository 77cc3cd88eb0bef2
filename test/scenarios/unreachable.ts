import { ENVIRONMENT } from '../../lambda/contract.ts'
import { expectState } from './expectations.ts'
import { whileMigrating } from './flow.ts'
import { describeStacks, findDatabase, loseDatabase } from './happenings.ts'
import type { Theme } from './scenario.ts'
import { continueUpdateRollback, deploy, removeStack } from './steps.ts'

/** Gives up connecting after a second: here nothing wakes up. */
const IMPATIENT = { environment: { [ENVIRONMENT.connectTimeout]: '1' } }

const STRANDED = {
  failLater: true,
  ends: 'UPDATE_ROLLBACK_FAILED',
  says: [/DATABASE_UNREACHABLE/, /Check that the server is up/],
} as const

/** Rollbacks while the database cannot be reached. */
export const UNREACHABLE: Theme = {
  name: 'unreachable',
  scenarios: [
    {
      title: 'nothing was applied: the rollback succeeds',
      old: 'customers',
      new: 'orders',
      world: IMPATIENT,
      steps: [deploy('customers'), loseDatabase, deploy('orders')],
      expected: {
        stackStatus: 'UPDATE_ROLLBACK_COMPLETE',
        state: 'old',
        calls: ['Update FAILED', 'Update SUCCESS'],
        reason: [/DATABASE_UNREACHABLE/, /has not been touched/],
        data: { Status: 'unreachable' },
      },
    },
    {
      title: 'the same, CloudFormation cannot be asked',
      old: 'customers',
      new: 'orders',
      world: IMPATIENT,
      steps: [describeStacks('denied'), deploy('customers'), loseDatabase, deploy('orders')],
      expected: {
        stackStatus: 'UPDATE_ROLLBACK_COMPLETE',
        state: 'old',
        calls: ['Update FAILED', 'Update SUCCESS'],
        data: { Status: 'unreachable' },
      },
    },
    {
      title: 'something was applied: ContinueUpdateRollback finishes it',
      old: 'customers',
      new: 'slow',
      world: IMPATIENT,
      steps: [
        deploy('customers'),
        whileMigrating(deploy('slow', STRANDED), loseDatabase),
        expectState('new'),
        findDatabase,
        continueUpdateRollback(),
      ],
      expected: {
        stackStatus: 'UPDATE_ROLLBACK_COMPLETE',
        state: 'old',
        calls: ['Update SUCCESS'],
        data: { Reverted: '2' },
      },
    },
    {
      title: 'the same, and CloudFormation cannot be asked either',
      old: 'customers',
      new: 'slow',
      world: IMPATIENT,
      steps: [
        describeStacks('denied'),
        deploy('customers'),
        whileMigrating(deploy('slow', STRANDED), loseDatabase),
        expectState('new'),
        findDatabase,
        continueUpdateRollback(),
      ],
      expected: { stackStatus: 'UPDATE_ROLLBACK_COMPLETE', state: 'old', data: { Reverted: '2' } },
    },
    {
      title: 'the next deployment after a rollback that needed no database',
      old: 'customers',
      new: 'orders',
      world: IMPATIENT,
      steps: [
        deploy('customers'),
        loseDatabase,
        deploy('orders', { ends: 'UPDATE_ROLLBACK_COMPLETE' }),
        findDatabase,
        deploy('orders'),
      ],
      expected: { stackStatus: 'UPDATE_COMPLETE', state: 'new', calls: ['Update SUCCESS'] },
    },
    {
      title: 'the stack is deleted: nothing is asked of the database',
      old: 'customers',
      new: 'orders',
      world: IMPATIENT,
      steps: [deploy('orders'), loseDatabase, removeStack()],
      expected: { stackStatus: 'DELETE_COMPLETE', state: 'new', calls: ['Delete SUCCESS'] },
    },
  ],
}
