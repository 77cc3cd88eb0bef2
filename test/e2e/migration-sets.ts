import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import type { Assembly } from '../support/cloudformation/assembly.ts'
import { synthesize } from './synthesize.ts'

type Files = Readonly<Record<string, string>>

const OLD: Files = {
  '20260101000000_create_customers.sql': `
-- migrate:up
CREATE TYPE tier AS ENUM ('standard', 'gold');
CREATE TABLE customers (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL,
  tier tier NOT NULL DEFAULT 'standard'
);
INSERT INTO customers (name) VALUES ('Ada'), ('Grace'), ('Edsger');
-- migrate:down
DROP TABLE customers;
DROP TYPE tier;
`,
  '20260102000000_greet_customers.ts': `
type Context = { readonly query: (sql: string) => Promise<unknown> }

export async function up({ query }: Context): Promise<void> {
  await query("ALTER TABLE customers ADD COLUMN greeting text NOT NULL DEFAULT 'Hello'")
}

export async function down({ query }: Context): Promise<void> {
  await query('ALTER TABLE customers DROP COLUMN greeting')
}
`,
}

const NEW: Files = {
  ...OLD,
  '20260103000000_create_orders.sql': `
-- migrate:up
CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint NOT NULL REFERENCES customers);
CREATE VIEW order_counts AS SELECT customer_id, count(*) FROM orders GROUP BY customer_id;
INSERT INTO orders SELECT id, id FROM customers;
-- migrate:down
DROP VIEW order_counts;
DROP TABLE orders;
`,
  '20260104000000_index_orders.sql': `
-- migrate:up transaction:false
CREATE INDEX CONCURRENTLY orders_customer ON orders (customer_id);
-- migrate:down transaction:false
DROP INDEX CONCURRENTLY orders_customer;
`,
}

const FAILING: Files = {
  ...NEW,
  '20260105000000_add_total.sql': `
-- migrate:up
ALTER TABLE orders ADD COLUMN total numeric NOT NULL DEFAULT 0;
-- migrate:down
ALTER TABLE orders DROP COLUMN total;
`,
  '20260106000000_rename_name.sql': `
-- migrate:up
ALTER TABLE customers ADD COLUMN family_name text;
ALTER TABLE customers RENAME COLUMN nam TO given_name;
-- migrate:down
ALTER TABLE customers RENAME COLUMN given_name TO name;
ALTER TABLE customers DROP COLUMN family_name;
`,
}

const SETS = { old: OLD, new: NEW, failing: FAILING } as const
export type SetName = keyof typeof SETS

/** Ids of a set's migrations, in order. */
export function idsOf(set: SetName): readonly string[] {
  return Object.keys(SETS[set]).map((file) => file.replace(/\.\w+$/, ''))
}

/** Synthesizes the app with the named sets of migrations, once for all tests of the file. */
export function synthesizedSets(...names: readonly SetName[]): (name: SetName) => Assembly {
  const assemblies = new Map<SetName, Assembly>()
  const clean: (() => Promise<void>)[] = []
  beforeAll(async () => {
    await Promise.all(
      names.map(async (name) => {
        const directory = await writeSet(SETS[name])
        clean.push(() => rm(directory, { recursive: true, force: true }))
        const { assembly, remove } = await synthesize(directory)
        clean.push(remove)
        assemblies.set(name, assembly)
      }),
    )
  })
  afterAll(async () => void (await Promise.all(clean.map((remove) => remove()))))
  return (name) => {
    const assembly = assemblies.get(name)
    if (assembly === undefined) throw new Error(`The set "${name}" was not synthesized`)
    return assembly
  }
}

async function writeSet(files: Files): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'lockstep-set-'))
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text)
  return directory
}
