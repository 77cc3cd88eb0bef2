import { whileMigrating } from './flow.ts'
import { beginRotation, hideSecrets, rotateAfterNextRead, rotatePassword } from './happenings.ts'
import type { Theme } from './scenario.ts'
import { deploy } from './steps.ts'

/** The secret, and passwords that change. */
export const CREDENTIALS: Theme = {
  name: 'credentials',
  scenarios: [
    {
      title: 'rotated after it was read: connected anew',
      old: 'customers',
      new: 'orders',
      steps: [deploy('customers'), rotateAfterNextRead, deploy('orders')],
      expected: { stackStatus: 'UPDATE_COMPLETE', state: 'new', calls: ['Update SUCCESS'] },
    },
    {
      title: 'rotated during the run',
      old: 'customers',
      new: 'slow',
      steps: [deploy('customers'), whileMigrating(deploy('slow'), rotatePassword)],
      expected: { stackStatus: 'UPDATE_COMPLETE', state: 'new', calls: ['Update SUCCESS'] },
    },
    {
      title: 'rotated during the run, a later resource fails',
      old: 'customers',
      new: 'slow',
      steps: [deploy('customers'), whileMigrating(deploy('slow', { failLater: true }), rotatePassword)],
      expected: { stackStatus: 'UPDATE_ROLLBACK_COMPLETE', state: 'old', data: { Reverted: '2' } },
    },
    {
      title: 'a rotation is pending: connected with the new one',
      old: 'customers',
      new: 'orders',
      steps: [deploy('customers'), beginRotation, deploy('orders')],
      expected: { stackStatus: 'UPDATE_COMPLETE', state: 'new', calls: ['Update SUCCESS'] },
    },
    {
      title: 'isolated subnet, Create: the missing endpoint is named within 15 s',
      old: 'nothing',
      new: 'orders',
      steps: [hideSecrets, deploy('orders')],
      expected: {
        stackStatus: 'ROLLBACK_COMPLETE',
        state: 'old',
        calls: ['Create FAILED', 'Delete SUCCESS'],
        reason: [/SECRET_UNREADABLE/, /VPC endpoint com\.amazonaws\.\S+\.secretsmanager/],
        callsWithinSeconds: 15,
      },
    },
    {
      title: 'isolated subnet, Update: the rollback succeeds',
      old: 'customers',
      new: 'orders',
      steps: [deploy('customers'), hideSecrets, deploy('orders')],
      expected: {
        stackStatus: 'UPDATE_ROLLBACK_COMPLETE',
        state: 'old',
        calls: ['Update FAILED', 'Update SUCCESS'],
        reason: [/SECRET_UNREADABLE/, /VPC endpoint com\.amazonaws\.\S+\.secretsmanager/],
        callsWithinSeconds: 15,
      },
    },
  ],
}
