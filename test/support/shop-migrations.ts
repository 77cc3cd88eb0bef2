/** Texts of migration files, by file name. */
export type Files = Readonly<Record<string, string>>

/** Customers, with a column that a TypeScript migration adds. */
export const CUSTOMERS: Files = {
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

/** And what they order. */
export const ORDERS: Files = {
  ...CUSTOMERS,
  '20260103000000_create_orders.sql': `
-- migrate:up
CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint NOT NULL REFERENCES customers);
CREATE VIEW order_counts AS SELECT customer_id, count(*) FROM orders GROUP BY customer_id;
INSERT INTO orders SELECT id, id FROM customers;
-- migrate:down
DROP VIEW order_counts;
DROP TABLE orders;
`,
}

export const INDEX_FILE = '20260104000000_index_orders.sql'
export const INDEX = 'CREATE INDEX CONCURRENTLY orders_customer ON orders (customer_id);'
/** With an index that is built outside of a transaction. */
export const INDEXED: Files = {
  ...ORDERS,
  [INDEX_FILE]: `
-- migrate:up transaction:false
${INDEX}
-- migrate:down transaction:false
DROP INDEX CONCURRENTLY orders_customer;
`,
}
