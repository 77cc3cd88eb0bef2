import type { Theme } from './scenario.ts'
import { deploy } from './steps.ts'

const FAILED = {
  stackStatus: 'UPDATE_ROLLBACK_COMPLETE',
  state: 'old',
  calls: ['Update FAILED', 'Update SUCCESS'],
} as const
const SAID = [/MIGRATION_FAILED/, /20260109000000_bad\.sql, line \d/, /as it was before/, /Correct /]

/** Updates of a stack, and migrations that fail. */
export const UPDATE: Theme = {
  name: 'update',
  scenarios: [
    {
      title: 'update, with snapshots',
      old: 'customers',
      new: 'indexed',
      world: { snapshots: true },
      steps: [deploy('customers'), deploy('indexed')],
      expected: { stackStatus: 'UPDATE_COMPLETE', state: 'new', calls: ['Update SUCCESS'], data: { Applied: '2' } },
    },
    {
      title: 'no change in migrations: not called',
      old: 'customers',
      new: 'orders',
      steps: [deploy('orders'), deploy('orders')],
      expected: { stackStatus: 'UPDATE_COMPLETE', state: 'new', calls: [] },
    },
    {
      title: 'only settings change',
      old: 'customers',
      new: 'orders',
      steps: [deploy('orders'), deploy('orders', { context: { onRollback: 'keep' } })],
      expected: { stackStatus: 'UPDATE_COMPLETE', state: 'new', calls: ['Update SUCCESS'], data: { Applied: '0' } },
    },
    {
      title: 'only settings change, a later resource fails',
      old: 'customers',
      new: 'orders',
      steps: [deploy('orders'), deploy('orders', { context: { onRollback: 'keep' }, failLater: true })],
      expected: {
        stackStatus: 'UPDATE_ROLLBACK_COMPLETE',
        state: 'new',
        calls: ['Update SUCCESS', 'Update SUCCESS'],
        data: { Reverted: '0' },
      },
    },
    ...(['first', 'middle', 'last'] as const).map((which) => ({
      title: `the ${which} statement fails`,
      old: 'customers' as const,
      new: 'orders' as const,
      steps: [deploy('customers'), deploy(`fails in the ${which} statement` as const)],
      expected: { ...FAILED, reason: SAID },
    })),
    {
      title: 'fails after a committed index: reverted by its down',
      old: 'customers',
      new: 'indexed',
      steps: [deploy('customers'), deploy('fails after an index')],
      expected: { ...FAILED, reason: [...SAID, /reverted: .*20260104000000_index_orders/] },
    },
    {
      title: 'fails after a committed index without a down: named',
      old: 'customers',
      new: 'orders',
      named: 'indexed for good',
      steps: [deploy('customers'), deploy('fails after an index for good')],
      expected: {
        ...FAILED,
        state: 'named',
        reason: [/MIGRATION_FAILED/, /20260104000000_index_orders.*(?:no down|irreversible)/, /still there: /],
      },
    },
    {
      title: "the same with onFailure: 'restore'",
      old: 'customers',
      new: 'orders',
      world: { snapshots: true },
      steps: [
        deploy('customers', { context: { onFailure: 'restore' } }),
        deploy('fails after an index for good', { context: { onFailure: 'restore' } }),
      ],
      expected: { ...FAILED, reason: [/MIGRATION_FAILED/, /restored/] },
    },
  ],
}
