import { CUSTOMERS, INDEX, INDEX_FILE, INDEXED, ORDERS, type Files } from '../support/shop-migrations.ts'
import { FAILURES, nap, REACHES_ALL } from './difficult-migrations.ts'

const INDEXED_FOR_GOOD: Files = { ...ORDERS, [INDEX_FILE]: `-- migrate:up transaction:false\n${INDEX}\n` }

const IN_CODE: Files = {
  ...CUSTOMERS,
  '20260103000000_count_letters.ts': `
type Context = { readonly query: (sql: string) => Promise<unknown> }

export async function up({ query }: Context): Promise<void> {
  await query('ALTER TABLE customers ADD COLUMN letters integer')
  await query('UPDATE customers SET letters = length(name)')
}

export async function down({ query }: Context): Promise<void> {
  await query('ALTER TABLE customers DROP COLUMN letters')
}
`,
}

const IRREVERSIBLE: Files = {
  ...ORDERS,
  '20260105000000_shorten_names.sql': `
-- lockstep:irreversible the second half of the names is lost
-- migrate:up
UPDATE customers SET name = left(name, 3);
`,
}

const BREAKING: Files = {
  ...ORDERS,
  '20260105000000_rename_name.sql': `
-- lockstep:breaking code before this reads "name"
-- migrate:up
ALTER TABLE customers RENAME COLUMN name TO full_name;
-- migrate:down
ALTER TABLE customers RENAME COLUMN full_name TO name;
`,
}

const BILLING: Files = {
  '20260201000000_create_invoices.sql': `
-- migrate:up
CREATE TABLE invoices (id bigint PRIMARY KEY, cents bigint NOT NULL);
INSERT INTO invoices VALUES (1, 995);
-- migrate:down
DROP TABLE invoices;
`,
}

const PAYMENTS: Files = {
  ...BILLING,
  '20260202000000_create_payments.sql': `
-- migrate:up
CREATE TABLE payments (invoice_id bigint PRIMARY KEY REFERENCES invoices);
-- migrate:down
DROP TABLE payments;
`,
}

const NAPS: Files = {
  ...CUSTOMERS,
  '20260111000000_first.sql': nap('first'),
  '20260112000000_second.sql': nap('second'),
  '20260113000000_third.sql': nap('third'),
}

const BAD = '20260109000000_bad.sql'

/** The sets of migrations that more than one theme deploys or compares with. */
const SETS = {
  nothing: {},
  customers: CUSTOMERS,
  orders: ORDERS,
  indexed: INDEXED,
  'indexed for good': INDEXED_FOR_GOOD,
  code: IN_CODE,
  irreversible: IRREVERSIBLE,
  breaking: BREAKING,
  billing: BILLING,
  payments: PAYMENTS,
  'customers and billing': { ...CUSTOMERS, ...BILLING },
  'orders and billing': { ...ORDERS, ...BILLING },
  'fails in the first statement': { ...ORDERS, [BAD]: FAILURES.first },
  'fails in the middle statement': { ...ORDERS, [BAD]: FAILURES.middle },
  'fails in the last statement': { ...ORDERS, [BAD]: FAILURES.last },
  'fails after an index': { ...INDEXED, [BAD]: FAILURES.last },
  'fails after an index for good': { ...INDEXED_FOR_GOOD, [BAD]: FAILURES.last },
  'fails at length': { ...ORDERS, [BAD]: REACHES_ALL.hugeError },
  slow: { ...ORDERS, '20260106000000_slow.sql': REACHES_ALL.slow },
  naps: NAPS,
  'naps without end': { ...NAPS, '20260121000000_endless.sql': REACHES_ALL.endless },
  endless: { ...ORDERS, '20260106000000_endless.sql': REACHES_ALL.endless },
  stuck: { ...ORDERS, '20260106000000_stuck.ts': REACHES_ALL.stuck },
  hungry: { ...ORDERS, '20260106000000_hungry.ts': REACHES_ALL.hungry },
} as const satisfies Readonly<Record<string, Files>>

/** A set of migrations: one of those above by its name, or texts by file name, in the order in which they are applied. */
export type MigrationSet = keyof typeof SETS | Files

export function filesOf(set: MigrationSet): Files {
  return typeof set === 'string' ? SETS[set] : set
}
