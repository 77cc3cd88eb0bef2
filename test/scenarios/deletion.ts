import type { Theme } from './scenario.ts'
import { deploy, removeStack } from './steps.ts'

const SHOP = { set: 'shop' }
const BILLING = { set: 'billing' }

/** Stacks and resources that go. */
export const DELETION: Theme = {
  name: 'deletion',
  scenarios: [
    {
      title: 'delete the stack: the database is not touched',
      old: 'customers',
      new: 'orders',
      steps: [deploy('orders'), removeStack()],
      expected: {
        stackStatus: 'DELETE_COMPLETE',
        state: 'new',
        calls: ['Delete SUCCESS'],
        log: [/the database is kept as it is/],
      },
    },
    {
      title: 'the resource is replaced (another set): the old is kept',
      old: 'customers',
      new: 'customers and billing',
      steps: [deploy('customers', { context: SHOP }), deploy('billing', { context: BILLING })],
      expected: { stackStatus: 'UPDATE_COMPLETE', state: 'new', calls: ['Update SUCCESS', 'Delete SUCCESS'] },
    },
    {
      title: 'a later resource fails after the replacement: reverted',
      old: 'customers',
      new: 'customers and billing',
      steps: [deploy('customers', { context: SHOP }), deploy('billing', { context: BILLING, failLater: true })],
      expected: { stackStatus: 'UPDATE_ROLLBACK_COMPLETE', state: 'old' },
    },
    {
      title: 'the resource is replaced (another name): the new one goes on',
      old: 'customers',
      new: 'orders',
      steps: [deploy('customers'), deploy('orders', { renamed: true })],
      expected: {
        stackStatus: 'UPDATE_COMPLETE',
        state: 'new',
        calls: ['Create SUCCESS', 'Delete SUCCESS'],
        log: [/the database is kept as it is/],
      },
    },
    {
      title: 'a later resource fails after that replacement: reverted',
      old: 'customers',
      new: 'orders',
      steps: [deploy('customers'), deploy('orders', { renamed: true, failLater: true })],
      expected: {
        stackStatus: 'UPDATE_ROLLBACK_COMPLETE',
        state: 'old',
        calls: ['Create SUCCESS', 'Delete SUCCESS'],
      },
    },
  ],
}
