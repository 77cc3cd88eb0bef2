import { expectInvocations } from './expectations.ts'
import type { Scenario, Step, Theme } from './scenario.ts'
import { deploy } from './steps.ts'

/** Whoever waits for a snapshot leaves the rest to the next invocation after the half of it. */
const WORLD: Scenario['world'] = { snapshots: true, limits: { timeoutSeconds: 20 } }
const BY_RDS = { context: { snapshot: 'rds', instanceIdentifier: 'shop', snapshotKeepLast: '1', totalTimeout: '60' } }

/** RDS has the instance, and takes so long that it is asked this often. */
function rdsTakes(questions: number): Step {
  return async ({ world }) => {
    world.rds.put('instance', 'shop')
    world.rds.takes(questions)
  }
}

const rdsRefuses: Step = async ({ world }) => world.rds.answer('quota')

function expectSnapshots(count: number): Step {
  return async ({ world, problems }) => {
    const kept = world.rds.snapshots().map(({ id }) => id)
    if (kept.length !== count) problems.push(`RDS keeps ${kept.join(', ')} in place of ${count}`)
  }
}

/** Snapshots of the storage, by RDS. */
export const STORAGE: Theme = {
  name: 'storage-level snapshots',
  scenarios: [
    {
      title: 'longer than one invocation: the run waits before its first statement, and goes on',
      old: 'customers',
      new: 'orders',
      world: WORLD,
      steps: [
        rdsTakes(0),
        deploy('customers', BY_RDS),
        rdsTakes(10),
        deploy('orders', BY_RDS),
        expectInvocations(3),
        expectSnapshots(1),
      ],
      expected: {
        stackStatus: 'UPDATE_COMPLETE',
        state: 'new',
        calls: ['Update SUCCESS'],
        log: [/the snapshot is not there yet; the next invocation goes on waiting/, /deleted an old snapshot/],
      },
    },
    {
      title: 'refused by RDS: the deployment fails, and nothing is touched',
      old: 'customers',
      new: 'orders',
      world: WORLD,
      steps: [rdsTakes(0), deploy('customers', BY_RDS), rdsRefuses, deploy('orders', BY_RDS)],
      expected: {
        stackStatus: 'UPDATE_ROLLBACK_COMPLETE',
        state: 'old',
        calls: ['Update FAILED', 'Update SUCCESS'],
        reason: [/SNAPSHOT_FAILED/, /more than 100 manual snapshots/, /Delete snapshots that are not needed/],
      },
    },
  ],
}
