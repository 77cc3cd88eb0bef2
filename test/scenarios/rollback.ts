import { expectMetric } from './expectations.ts'
import { whileLocked, whileMigrating } from './flow.ts'
import { describeStacks } from './happenings.ts'
import type { Scenario, Theme } from './scenario.ts'
import { cancel, deploy } from './steps.ts'

const KEEP = { onRollback: 'keep' }
const BACK = { stackStatus: 'UPDATE_ROLLBACK_COMPLETE', calls: ['Update SUCCESS', 'Update SUCCESS'] } as const

const LATER_RESOURCE: readonly Scenario[] = [
  {
    title: 'a later resource fails: reverted on old code',
    old: 'customers',
    new: 'indexed',
    steps: [deploy('customers'), deploy('indexed', { failLater: true }), expectMetric('DatabaseAhead', [])],
    expected: { ...BACK, state: 'old', data: { Reverted: '2' } },
  },
  {
    title: 'the same, CloudFormation cannot be asked',
    old: 'customers',
    new: 'indexed',
    steps: [describeStacks('hangs'), deploy('customers'), deploy('indexed', { failLater: true })],
    expected: { ...BACK, state: 'old', data: { Reverted: '2' } },
  },
  {
    title: 'the same with a TypeScript migration, from the archive',
    old: 'customers',
    new: 'code',
    steps: [deploy('customers'), deploy('code', { failLater: true })],
    expected: { ...BACK, state: 'old', data: { Reverted: '1' } },
  },
  {
    title: 'the same with an irreversible one: kept, said',
    old: 'customers',
    new: 'irreversible',
    steps: [deploy('customers'), deploy('irreversible', { failLater: true }), expectMetric('DatabaseAhead', [2])],
    expected: {
      ...BACK,
      state: 'new',
      log: [/leaves the database ahead: .*20260105000000_shorten_names stays applied/],
    },
  },
  {
    title: "the same with onRollback: 'keep'",
    old: 'customers',
    new: 'orders',
    steps: [
      deploy('customers', { context: KEEP }),
      deploy('orders', { context: KEEP, failLater: true }),
      expectMetric('DatabaseAhead', [1]),
    ],
    expected: { ...BACK, state: 'new', log: [/stays applied, because onRollback is 'keep'/] },
  },
  {
    title: "a breaking one with onRollback: 'keep': said loudly",
    old: 'customers',
    new: 'breaking',
    steps: [deploy('customers', { context: KEEP }), deploy('breaking', { context: KEEP, failLater: true })],
    expected: { ...BACK, state: 'new', log: [/"level":"(?:WARN|ERROR)"[^\n]*breaking/] },
  },
  {
    title: 'another resource fails while the update still runs',
    old: 'customers',
    new: 'slow',
    steps: [deploy('customers'), deploy('slow', { failWhileMigrating: true })],
    expected: { stackStatus: 'UPDATE_ROLLBACK_COMPLETE', state: 'old' },
  },
  {
    title: 'the update is cancelled while it still runs',
    old: 'customers',
    new: 'slow',
    steps: [deploy('customers'), whileMigrating(deploy('slow'), cancel)],
    expected: { stackStatus: 'UPDATE_ROLLBACK_COMPLETE', state: 'old' },
  },
  {
    title: 'the update is cancelled while it waits for the lock',
    old: 'customers',
    new: 'orders',
    steps: [deploy('customers'), whileLocked(deploy('orders'), cancel)],
    expected: { stackStatus: 'UPDATE_ROLLBACK_COMPLETE', state: 'old' },
  },
  {
    title: 'a rollback, and the same deployment fails again',
    old: 'customers',
    new: 'orders',
    steps: [
      deploy('customers'),
      deploy('orders', { failLater: true, ends: 'UPDATE_ROLLBACK_COMPLETE' }),
      deploy('orders', { failLater: true }),
    ],
    expected: { ...BACK, state: 'old', data: { Reverted: '1' } },
  },
  {
    title: 'a rollback, and the deployment is repeated',
    old: 'customers',
    new: 'orders',
    steps: [
      deploy('customers'),
      deploy('orders', { failLater: true, ends: 'UPDATE_ROLLBACK_COMPLETE' }),
      deploy('orders'),
    ],
    expected: { stackStatus: 'UPDATE_COMPLETE', state: 'new', calls: ['Update SUCCESS'], data: { Applied: '1' } },
  },
]

const OLD_COMMIT: readonly Scenario[] = [
  {
    title: 'an old commit is deployed on purpose: kept, reported ahead',
    old: 'customers',
    new: 'orders',
    steps: [deploy('customers'), deploy('orders'), deploy('customers')],
    expected: {
      stackStatus: 'UPDATE_COMPLETE',
      state: 'new',
      calls: ['Update SUCCESS'],
      data: { Reverted: '0' },
      log: [/"level":"WARN"[^\n]*ahead/],
    },
  },
  {
    title: 'the same, CloudFormation cannot be asked: within four hours a rollback',
    old: 'customers',
    new: 'orders',
    steps: [describeStacks('denied'), deploy('customers'), deploy('orders'), deploy('customers')],
    expected: { stackStatus: 'UPDATE_COMPLETE', state: 'old', data: { Reverted: '1' } },
  },
  {
    title: 'the same with a breaking migration: refused',
    old: 'customers',
    new: 'breaking',
    steps: [deploy('customers'), deploy('breaking'), deploy('customers')],
    expected: {
      stackStatus: 'UPDATE_ROLLBACK_COMPLETE',
      state: 'new',
      calls: ['Update FAILED', 'Update SUCCESS'],
      reason: [/DATABASE_AHEAD/, /20260105000000_rename_name/, /code before this reads "name"/],
    },
  },
  {
    title: 'kept ahead, then forward again',
    old: 'customers',
    new: 'orders',
    steps: [deploy('customers'), deploy('orders'), deploy('customers'), deploy('orders')],
    expected: { stackStatus: 'UPDATE_COMPLETE', state: 'new', data: { Applied: '0' } },
  },
  {
    title: 'kept ahead, then a deployment that fails: only its own is reverted',
    old: 'orders',
    new: 'indexed',
    steps: [deploy('customers'), deploy('orders'), deploy('customers'), deploy('indexed', { failLater: true })],
    expected: { ...BACK, state: 'old', data: { Reverted: '1' } },
  },
  {
    title: 'rollback of a rollback: that deployment fails as well',
    old: 'customers',
    new: 'orders',
    steps: [deploy('customers'), deploy('orders'), deploy('customers', { failLater: true })],
    expected: { ...BACK, state: 'new', data: { Reverted: '0' } },
  },
]

/** Deployments that CloudFormation takes back on the old code, and returns that look like it. */
export const ROLLBACK: Theme = { name: 'rollback', scenarios: [...LATER_RESOURCE, ...OLD_COMMIT] }
