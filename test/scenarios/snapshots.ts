import { expectInvocations } from './expectations.ts'
import { readText } from '../support/s3.ts'
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

const DISTRIBUTED = { context: { snapshotWorkers: 'distributed', totalTimeout: '60' } }

/** Checks that the last snapshot is there, with what was in the database before it was changed. */
const expectSnapshot: Step = async ({ world, deployments, problems }) => {
  const uri = String(deployments.at(-1)?.responses.at(-1)?.data['Snapshot'])
  const [, bucket = '', key = ''] = /^s3:\/\/([^/]+)\/(.+)$/.exec(uri) ?? []
  const manifest = JSON.parse(await readText(world.s3, bucket, `${key}/manifest.json`)) as {
    readonly tables: unknown[]
  }
  // Lockstep's own four, and that of the customers.
  if (manifest.tables.length !== 5) problems.push(`the snapshot ${uri} holds ${manifest.tables.length} tables`)
}

/** Snapshots that are not taken by the one invocation that needs them. */
export const SNAPSHOTS: Theme = {
  name: 'snapshots',
  scenarios: [
    {
      title: 'copied by a state machine that invokes the function',
      old: 'customers',
      new: 'orders',
      world: { snapshots: true },
      steps: [deploy('customers', DISTRIBUTED), deploy('orders', DISTRIBUTED), expectSnapshot],
      expected: {
        stackStatus: 'UPDATE_COMPLETE',
        state: 'new',
        calls: ['Update SUCCESS'],
        log: [/the copy is distributed/, /holding the view of the snapshot/, /copied an item of the snapshot/],
      },
    },
    {
      title: 'by RDS, longer than one invocation: the run waits before its first statement, and goes on',
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
      title: 'by RDS, refused: the deployment fails, and nothing is touched',
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
