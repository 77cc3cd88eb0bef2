import { expectState } from './expectations.ts'
import type { Theme } from './scenario.ts'
import { deploy, rollBackStack } from './steps.ts'

const FAILS = { rollback: false, ends: 'UPDATE_FAILED' } as const
const LATER = { ...FAILS, failLater: true } as const

/** `cdk deploy --no-rollback`, and what comes after. */
export const NO_ROLLBACK: Theme = {
  name: 'no rollback',
  scenarios: [
    {
      title: 'a migration fails, the next deployment corrects it',
      old: 'customers',
      new: 'orders',
      steps: [
        deploy('customers'),
        deploy('fails in the last statement', FAILS),
        expectState('old'),
        deploy('orders', { rollback: false }),
      ],
      expected: { stackStatus: 'UPDATE_COMPLETE', state: 'new', calls: ['Update SUCCESS'], data: { Applied: '1' } },
    },
    {
      title: 'the same, and the next deployment rolls back first',
      old: 'customers',
      new: 'orders',
      steps: [deploy('customers'), deploy('fails in the last statement', FAILS), deploy('orders')],
      expected: { stackStatus: 'UPDATE_COMPLETE', state: 'new' },
    },
    {
      title: 'a later resource fails, the next deployment succeeds',
      old: 'customers',
      new: 'orders',
      steps: [deploy('customers'), deploy('orders', LATER), expectState('new'), deploy('orders', { rollback: false })],
      expected: { stackStatus: 'UPDATE_COMPLETE', state: 'new' },
    },
    {
      title: 'a later resource fails, and RollbackStack',
      old: 'customers',
      new: 'orders',
      steps: [deploy('customers'), deploy('orders', LATER), expectState('new'), rollBackStack()],
      expected: { stackStatus: 'UPDATE_ROLLBACK_COMPLETE', state: 'old', calls: ['Update SUCCESS'] },
    },
    {
      title: 'a migration fails, the resource is put back at once, the next deployment corrects it',
      old: 'customers',
      new: 'orders',
      steps: [
        deploy('customers'),
        deploy('fails after an index', { rollback: 'failed-resource', ends: 'UPDATE_FAILED' }),
        expectState('old'),
        deploy('orders', { rollback: 'failed-resource' }),
      ],
      expected: { stackStatus: 'UPDATE_COMPLETE', state: 'new', calls: ['Update SUCCESS'], data: { Applied: '1' } },
    },
    {
      title: 'a creation fails, the next deployment succeeds',
      old: 'nothing',
      new: 'orders',
      steps: [
        deploy('fails in the last statement', { rollback: false, ends: 'CREATE_FAILED' }),
        expectState('old'),
        deploy('orders', { rollback: false }),
      ],
      expected: { stackStatus: 'UPDATE_COMPLETE', state: 'new', data: { Applied: '3' } },
    },
  ],
}
