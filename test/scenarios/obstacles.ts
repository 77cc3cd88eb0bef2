import { expectState } from './expectations.ts'
import { atOnce, inSequence } from './flow.ts'
import { loseBucket } from './happenings.ts'
import type { Theme } from './scenario.ts'
import { sql, untilThere } from './sessions.ts'
import { continueUpdateRollback, deploy, removeStack } from './steps.ts'

/** What stands in the way of a rollback. */
export const OBSTACLES: Theme = {
  name: 'obstacles',
  scenarios: [
    {
      title: 'a down fails: ContinueUpdateRollback once the cause is gone',
      old: 'customers',
      new: 'orders',
      steps: [
        deploy('customers'),
        atOnce(
          deploy('orders', {
            failLater: true,
            ends: 'UPDATE_ROLLBACK_FAILED',
            says: [/MIGRATION_FAILED: The down of 20260103000000_create_orders/, /depend/],
          }),
          inSequence(untilThere('orders'), sql('CREATE VIEW report AS SELECT id FROM orders')),
        ),
        sql('DROP VIEW report'),
        expectState('new'),
        continueUpdateRollback(),
      ],
      expected: {
        stackStatus: 'UPDATE_ROLLBACK_COMPLETE',
        state: 'old',
        calls: ['Update SUCCESS'],
        data: { Reverted: '1' },
      },
    },
    {
      title: 'a down fails, and its resource is skipped: the next deployment finds its work done',
      old: 'customers',
      new: 'orders',
      steps: [
        deploy('customers'),
        atOnce(
          deploy('orders', { failLater: true, ends: 'UPDATE_ROLLBACK_FAILED' }),
          inSequence(untilThere('orders'), sql('CREATE VIEW report AS SELECT id FROM orders')),
        ),
        sql('DROP VIEW report'),
        continueUpdateRollback({ skipFailed: true, ends: 'UPDATE_ROLLBACK_COMPLETE' }),
        expectState('new'),
        deploy('orders'),
      ],
      expected: { stackStatus: 'UPDATE_COMPLETE', state: 'new', calls: ['Update SUCCESS'], data: { Applied: '0' } },
    },
    {
      title: 'the stack is deleted after a rollback that failed: the database is kept',
      old: 'customers',
      new: 'orders',
      steps: [
        deploy('customers'),
        atOnce(
          deploy('orders', { failLater: true, ends: 'UPDATE_ROLLBACK_FAILED' }),
          inSequence(untilThere('orders'), sql('CREATE VIEW report AS SELECT id FROM orders')),
        ),
        sql('DROP VIEW report'),
        removeStack(),
      ],
      expected: { stackStatus: 'DELETE_COMPLETE', state: 'new', calls: ['Delete SUCCESS'] },
    },
    {
      title: 'the bucket cannot be reached: nothing is begun, the rollback succeeds',
      old: 'customers',
      new: 'orders',
      steps: [deploy('customers'), loseBucket, deploy('orders')],
      expected: {
        stackStatus: 'UPDATE_ROLLBACK_COMPLETE',
        state: 'old',
        calls: ['Update FAILED', 'Update SUCCESS'],
        reason: [/SNAPSHOT_FAILED/],
      },
    },
    {
      title: 'the bucket is lost before the rollback: reverted all the same',
      old: 'customers',
      new: 'orders',
      steps: [
        deploy('customers'),
        atOnce(deploy('orders', { failLater: true }), inSequence(untilThere('orders'), loseBucket)),
      ],
      expected: {
        stackStatus: 'UPDATE_ROLLBACK_COMPLETE',
        state: 'old',
        calls: ['Update SUCCESS', 'Update SUCCESS'],
        data: { Reverted: '1' },
      },
    },
  ],
}
