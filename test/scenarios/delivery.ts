import { expectRuns } from './expectations.ts'
import { whileMigrating } from './flow.ts'
import { crashFramework, dropConnection } from './happenings.ts'
import type { Theme } from './scenario.ts'
import { deploy, redeliver } from './steps.ts'

const DONE = { stackStatus: 'UPDATE_COMPLETE', state: 'new', data: { Applied: '1' } } as const

/** Events that arrive more than once. */
export const DELIVERY: Theme = {
  name: 'delivery',
  scenarios: [
    ...(['twice-in-a-row', 'twice-at-once'] as const).map((delivery) => ({
      title: `an event arrives ${delivery.replaceAll('-', ' ')}`,
      old: 'customers' as const,
      new: 'orders' as const,
      steps: [deploy('customers'), deploy('orders', { delivery }), expectRuns(2)],
      expected: { ...DONE, calls: ['Update SUCCESS', 'Update SUCCESS'] },
    })),
    {
      title: 'a slow one arrives twice at once',
      old: 'customers',
      new: 'slow',
      steps: [deploy('customers'), deploy('slow', { delivery: 'twice-at-once' }), expectRuns(2)],
      expected: { ...DONE, calls: ['Update SUCCESS', 'Update SUCCESS'], data: { Applied: '2' } },
    },
    {
      title: 'a failing one arrives twice at once',
      old: 'customers',
      new: 'orders',
      steps: [deploy('customers'), deploy('fails in the last statement', { delivery: 'twice-at-once' })],
      expected: {
        stackStatus: 'UPDATE_ROLLBACK_COMPLETE',
        state: 'old',
        calls: ['Update FAILED', 'Update FAILED', 'Update SUCCESS'],
      },
    },
    {
      title: 'an event of the failed deployment arrives after its rollback',
      old: 'customers',
      new: 'orders',
      steps: [deploy('customers'), deploy('orders', { failLater: true }), redeliver(1), expectRuns(3)],
      expected: { stackStatus: 'UPDATE_ROLLBACK_COMPLETE', state: 'old' },
    },
    {
      title: 'an event of the rollback arrives after the next deployment',
      old: 'customers',
      new: 'orders',
      steps: [
        deploy('customers'),
        deploy('orders', { failLater: true, ends: 'UPDATE_ROLLBACK_COMPLETE' }),
        deploy('orders'),
        redeliver(2),
        expectRuns(4),
      ],
      expected: { ...DONE, calls: ['Update SUCCESS'] },
    },
    {
      title: "the framework's connection drops: it invokes again",
      old: 'customers',
      new: 'orders',
      steps: [deploy('customers'), dropConnection, deploy('orders'), expectRuns(2)],
      expected: { ...DONE, calls: ['Update SUCCESS'] },
    },
    {
      title: 'the framework dies: Lambda invokes it again, beside the first run',
      old: 'customers',
      new: 'slow',
      steps: [deploy('customers'), whileMigrating(deploy('slow'), crashFramework), expectRuns(2)],
      expected: { ...DONE, calls: ['Update SUCCESS'], data: { Applied: '2' } },
    },
  ],
}
