import { OTHER_SECRET_ARN, SECRET_ARN } from '../e2e/synthesize.ts'
import { expectOther } from './expectations.ts'
import { atOnce, inSequence } from './flow.ts'
import type { Step, Theme } from './scenario.ts'
import { filesOf, type MigrationSet } from './sets.ts'
import type { SeveralMigrations } from './several-migrations-app.ts'
import { sql, untilThere } from './sessions.ts'
import { continueUpdateRollback, deployApp, type DeployHow } from './steps.ts'

const APP = new URL('several-migrations-app.ts', import.meta.url)

/** One stack with two constructs: that of the shop, and that of the billing. */
interface Pair {
  readonly shop: MigrationSet
  readonly billing: MigrationSet
}

function deployPair(pair: Pair, where: Partial<SeveralMigrations[string]>, how: DeployHow): Step {
  const several: SeveralMigrations = {
    Shop: { set: 'shop', secretArn: SECRET_ARN, migrations: 'shop' },
    Billing: { set: 'billing', secretArn: SECRET_ARN, migrations: 'billing', ...where },
  }
  return deployApp({ app: APP, sets: { ...pair } }, { ...how, context: { several: JSON.stringify(several) } })
}

/** Two sets on one database. */
function deployBoth(pair: Pair, how: DeployHow = {}): Step {
  return deployPair(pair, {}, how)
}

/** Each on a database of its own. */
function deployApart(pair: Pair, how: DeployHow = {}): Step {
  return deployPair(pair, { secretArn: OTHER_SECRET_ARN }, how)
}

/** Fails once the other one's slow migration is at work. */
const FAILS: MigrationSet = {
  ...filesOf('billing'),
  '20260203000000_fail_late.sql': `
-- migrate:up
ALTER TABLE invoices ADD COLUMN paid boolean;
SELECT pg_sleep(1);
ALTER TABLE invoices RENAME COLUMN cent TO amount;
-- migrate:down
ALTER TABLE invoices DROP COLUMN paid;
`,
}

const OLD = { shop: 'customers', billing: 'billing' } as const
const NEW = { shop: 'orders', billing: 'payments' } as const
const ONE_FAILS = { shop: 'slow', billing: FAILS } as const
const BACK = { stackStatus: 'UPDATE_ROLLBACK_COMPLETE', state: 'old' } as const
const BAD_COLUMN = /Billing\S*: Received response status \[FAILED\][^]*column "cent" does not exist/
const BOTH_NEW = { ...filesOf('orders'), ...filesOf('payments') }

/** Two migrations in one stack: CloudFormation calls both at the same time. */
export const SEVERAL_MIGRATIONS: Theme = {
  name: 'several migrations in a stack',
  scenarios: [
    {
      title: 'two sets of one database: both applied, nothing to do the next time',
      old: 'nothing',
      new: BOTH_NEW,
      steps: [deployBoth(NEW), deployBoth(NEW)],
      expected: { stackStatus: 'UPDATE_COMPLETE', state: 'new', calls: [] },
    },
    {
      title: 'two sets of one database, one fails while the other is at work: both as before',
      old: 'customers and billing',
      new: { ...filesOf('slow'), ...filesOf('payments') },
      steps: [deployBoth(OLD), deployBoth(ONE_FAILS)],
      expected: { ...BACK, reason: [BAD_COLUMN] },
    },
    {
      title: 'the same on their first deployment: nothing is left of either',
      old: 'nothing',
      new: { ...filesOf('slow'), ...filesOf('payments') },
      steps: [deployBoth(ONE_FAILS)],
      expected: { stackStatus: 'ROLLBACK_COMPLETE', state: 'old', reason: [BAD_COLUMN] },
    },
    {
      title: 'two sets of one database, a later resource fails: both reverted at the same time',
      old: 'customers and billing',
      new: BOTH_NEW,
      steps: [deployBoth(OLD), deployBoth(NEW, { failLater: true })],
      expected: {
        ...BACK,
        calls: ['Update SUCCESS', 'Update SUCCESS', 'Update SUCCESS', 'Update SUCCESS'],
        data: { Reverted: '1' },
      },
    },
    {
      title: 'two sets of one database, a down fails while the other is reverted: both once it is continued',
      old: 'customers and billing',
      new: BOTH_NEW,
      steps: [
        deployBoth(OLD),
        atOnce(
          deployBoth(NEW, { failLater: true, ends: 'UPDATE_ROLLBACK_FAILED' }),
          inSequence(untilThere('orders'), sql('CREATE VIEW report AS SELECT id FROM orders')),
        ),
        sql('DROP VIEW report'),
        continueUpdateRollback(),
      ],
      expected: { ...BACK },
    },
    {
      title: 'two databases, one fails while the other is at work: both as before',
      old: 'customers',
      new: 'slow',
      world: { otherDatabase: true },
      steps: [deployApart(OLD), expectOther('billing'), deployApart(ONE_FAILS), expectOther('billing')],
      expected: { ...BACK, reason: [BAD_COLUMN] },
    },
    {
      title: 'two databases, a later resource fails: both reverted',
      old: 'customers',
      new: 'orders',
      world: { otherDatabase: true },
      steps: [deployApart(OLD), deployApart(NEW, { failLater: true }), expectOther('billing')],
      expected: { ...BACK, data: { Reverted: '1' } },
    },
  ],
}
