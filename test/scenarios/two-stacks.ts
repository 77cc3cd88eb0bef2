import { atOnce } from './flow.ts'
import type { Theme } from './scenario.ts'
import { deploy } from './steps.ts'

const SHOP = { stack: 'Shop', ends: 'CREATE_COMPLETE' } as const
const COPY = { stack: 'Copy', ends: 'CREATE_COMPLETE' } as const
const BILLING = { stack: 'Billing', context: { set: 'billing' } } as const

/** Two stacks that migrate one database. */
export const TWO_STACKS: Theme = {
  name: 'two stacks',
  scenarios: [
    {
      title: 'two sets at once',
      old: 'nothing',
      new: 'orders and billing',
      steps: [atOnce(deploy('orders', SHOP), deploy('billing', { ...BILLING, ends: 'CREATE_COMPLETE' }))],
      expected: { stackStatus: 'CREATE_COMPLETE', state: 'new' },
    },
    {
      title: 'two sets: a rollback of one leaves the other alone',
      old: 'customers and billing',
      new: 'orders and billing',
      steps: [
        deploy('customers', SHOP),
        deploy('billing', { ...BILLING, ends: 'CREATE_COMPLETE' }),
        atOnce(
          deploy('orders', { stack: 'Shop', ends: 'UPDATE_COMPLETE' }),
          deploy('payments', { ...BILLING, failLater: true, ends: 'UPDATE_ROLLBACK_COMPLETE' }),
        ),
        deploy('orders', { stack: 'Shop' }),
      ],
      expected: { stackStatus: 'UPDATE_COMPLETE', state: 'new', calls: [] },
    },
    {
      title: 'one set at once: the second finds nothing to do',
      old: 'nothing',
      new: 'orders',
      steps: [atOnce(deploy('orders', SHOP), deploy('orders', COPY))],
      expected: { stackStatus: 'CREATE_COMPLETE', state: 'new' },
    },
    {
      title: 'one set: the second rolls back, what the first applied stays',
      old: 'nothing',
      new: 'orders',
      steps: [deploy('orders', SHOP), deploy('orders', { stack: 'Copy', failLater: true })],
      expected: { stackStatus: 'ROLLBACK_COMPLETE', state: 'new', calls: ['Create SUCCESS', 'Delete SUCCESS'] },
    },
  ],
}
