import { ENVIRONMENT } from '../../lambda/contract.ts'
import { atOnce, inSequence, wait, whileMigrating } from './flow.ts'
import { becomeReplica, restartServer } from './happenings.ts'
import type { Theme } from './scenario.ts'
import { fillConnections, freeConnections, readFor } from './sessions.ts'
import { WAKING_MS } from './sleeping-proxy.ts'
import { deploy } from './steps.ts'

/** What a server does while a deployment runs. */
export const DATABASE: Theme = {
  name: 'database',
  scenarios: [
    {
      title: `paused, takes ${WAKING_MS / 1000} s to wake`,
      old: 'nothing',
      new: 'orders',
      server: 'asleep',
      steps: [deploy('orders')],
      expected: { stackStatus: 'CREATE_COMPLETE', state: 'new', calls: ['Create SUCCESS'] },
    },
    {
      title: 'failover in mid-run: rolled back',
      old: 'customers',
      new: 'slow',
      server: 'own',
      steps: [deploy('customers'), whileMigrating(deploy('slow'), restartServer)],
      expected: {
        stackStatus: 'UPDATE_ROLLBACK_COMPLETE',
        state: 'old',
        calls: ['Update FAILED', 'Update SUCCESS'],
        reason: [/the connection was lost/, /as it was before/],
      },
    },
    {
      title: 'failover in mid-run, and the next deployment',
      old: 'customers',
      new: 'orders',
      server: 'own',
      steps: [
        deploy('customers'),
        whileMigrating(deploy('slow', { ends: 'UPDATE_ROLLBACK_COMPLETE' }), restartServer),
        deploy('orders'),
      ],
      expected: { stackStatus: 'UPDATE_COMPLETE', state: 'new', calls: ['Update SUCCESS'] },
    },
    {
      title: 'a long reader holds its lock: waited for',
      old: 'customers',
      new: 'breaking',
      steps: [deploy('customers'), readFor(8000, 'customers'), deploy('breaking')],
      expected: { stackStatus: 'UPDATE_COMPLETE', state: 'new', calls: ['Update SUCCESS'] },
    },
    {
      title: 'too many connections, free after a while',
      old: 'customers',
      new: 'orders',
      server: 'own',
      steps: [deploy('customers'), fillConnections, atOnce(deploy('orders'), inSequence(wait(3000), freeConnections))],
      expected: { stackStatus: 'UPDATE_COMPLETE', state: 'new', calls: ['Update SUCCESS'] },
    },
    {
      title: 'too many connections for good',
      old: 'customers',
      new: 'orders',
      server: 'own',
      world: { environment: { [ENVIRONMENT.connectTimeout]: '2' } },
      steps: [deploy('customers'), fillConnections, deploy('orders')],
      expected: {
        stackStatus: 'UPDATE_ROLLBACK_COMPLETE',
        state: 'old',
        calls: ['Update FAILED', 'Update SUCCESS'],
        reason: [/DATABASE_UNREACHABLE/, /Free connections on the server, or raise max_connections/],
      },
    },
    {
      title: 'a read-only replica is the target: refused',
      old: 'customers',
      new: 'orders',
      server: 'own',
      world: { environment: { [ENVIRONMENT.connectTimeout]: '2' } },
      steps: [deploy('customers'), becomeReplica, deploy('orders')],
      expected: {
        stackStatus: 'UPDATE_ROLLBACK_COMPLETE',
        state: 'old',
        calls: ['Update FAILED', 'Update SUCCESS'],
        reason: [/CONFIG_INVALID/, /is a read-only replica/, /has not been touched/, /writer/],
      },
    },
  ],
}
