import { untilDeleted, whileLocked, whileMigrating } from './flow.ts'
import { describeStacks } from './happenings.ts'
import type { Theme } from './scenario.ts'
import { cancel, deploy, deployWithout, failAroundNested, removeStack } from './steps.ts'

const MADE = { stackStatus: 'CREATE_COMPLETE', calls: ['Create SUCCESS'] } as const
const TAKEN_BACK = { stackStatus: 'ROLLBACK_COMPLETE', calls: ['Create SUCCESS', 'Delete SUCCESS'] } as const

/** A database that is migrated already, and whose stack is gone. */
const EXISTING = [deploy('customers'), removeStack()] as const

/** The first deployment of a stack. */
export const CREATION: Theme = {
  name: 'creation',
  scenarios: [
    {
      title: 'create',
      old: 'nothing',
      new: 'orders',
      steps: [deploy('orders')],
      expected: { ...MADE, state: 'new', data: { Applied: '3', Current: '20260103000000_create_orders' } },
    },
    {
      title: 'nothing to apply',
      old: 'orders',
      new: 'orders',
      steps: [deploy('orders'), removeStack(), deploy('orders')],
      expected: { ...MADE, state: 'old', data: { Applied: '0', RunId: '' } },
    },
    {
      title: 'a migration fails, then Delete',
      old: 'nothing',
      new: 'orders',
      steps: [deploy('fails in the last statement')],
      expected: {
        stackStatus: 'ROLLBACK_COMPLETE',
        state: 'old',
        calls: ['Create FAILED', 'Delete SUCCESS'],
        reason: [/MIGRATION_FAILED/, /column "nam" does not exist/, /as it was before/],
      },
    },
    {
      title: 'the stack is deleted while Create still runs',
      old: 'nothing',
      new: 'slow',
      steps: [whileMigrating(deploy('slow'), cancel)],
      expected: { stackStatus: 'DELETE_COMPLETE', state: 'new', log: [/the database is kept as it is/] },
    },
    {
      title: 'the stack is deleted while Create waits for the lock',
      old: 'nothing',
      new: 'orders',
      steps: [whileLocked(deploy('orders'), cancel, untilDeleted)],
      expected: { stackStatus: 'DELETE_COMPLETE', state: 'old', log: [/a later event of the same resource/] },
    },
    {
      title: 'another resource fails while Create still runs',
      old: 'customers',
      new: 'slow',
      steps: [...EXISTING, deploy('slow', { failWhileMigrating: true })],
      expected: { stackStatus: 'ROLLBACK_COMPLETE', state: 'old' },
    },
    {
      title: 'existing database, a later resource fails: reverted',
      old: 'customers',
      new: 'orders',
      steps: [...EXISTING, deploy('orders', { failLater: true })],
      expected: { ...TAKEN_BACK, state: 'old', log: [/what its creation applied was reverted/] },
    },
    {
      title: 'the same, CloudFormation cannot be asked: kept, said loudly',
      old: 'customers',
      new: 'orders',
      steps: [...EXISTING, describeStacks('denied'), deploy('orders', { failLater: true })],
      expected: { ...TAKEN_BACK, state: 'new', log: [/"level":"(?:WARN|ERROR)"[^\n]*kept/] },
    },
    {
      title: 'the same, no route to CloudFormation: kept, said loudly',
      old: 'customers',
      new: 'orders',
      steps: [...EXISTING, describeStacks('hangs'), deploy('orders', { failLater: true })],
      expected: { ...TAKEN_BACK, state: 'new', log: [/"level":"(?:WARN|ERROR)"[^\n]*kept/] },
    },
    {
      title: 'in a nested stack, and the stack around it rolls back: reverted',
      old: 'customers',
      new: 'orders',
      steps: [...EXISTING, failAroundNested('orders')],
      expected: {
        stackStatus: 'ROLLBACK_COMPLETE',
        state: 'old',
        log: [/what its creation applied was reverted/],
      },
    },
    {
      title: 'newly added in an update that rolls back',
      old: 'customers',
      new: 'orders',
      steps: [...EXISTING, deployWithout(), deploy('orders', { failLater: true })],
      expected: { ...TAKEN_BACK, stackStatus: 'UPDATE_ROLLBACK_COMPLETE', state: 'old' },
    },
    {
      title: 'newly added in an update, and its migration fails',
      old: 'customers',
      new: 'orders',
      steps: [...EXISTING, deployWithout(), deploy('fails in the last statement')],
      expected: {
        stackStatus: 'UPDATE_ROLLBACK_COMPLETE',
        state: 'old',
        calls: ['Create FAILED', 'Delete SUCCESS'],
        reason: [/MIGRATION_FAILED/],
      },
    },
  ],
}
