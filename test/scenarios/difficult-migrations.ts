const DOWN = `
-- migrate:down
ALTER TABLE customers DROP COLUMN phone;
`

const GOOD = ['ALTER TABLE customers ADD COLUMN phone text;', "UPDATE customers SET phone = '0';"] as const
const BAD = 'ALTER TABLE customers RENAME COLUMN nam TO given_name;'

function failing(...statements: readonly string[]): string {
  return `-- migrate:up\n${statements.join('\n')}\n${DOWN}`
}

/** Migrations of three statements, of which one fails. */
export const FAILURES = {
  first: failing(BAD, ...GOOD),
  middle: failing(GOOD[0], BAD, GOOD[1]),
  last: failing(...GOOD, BAD),
} as const

/** How long the slow migration takes. Seconds. */
const SLOW_SECONDS = 2

/** How long each of several naps takes. Seconds. */
const NAP_SECONDS = 6.2

/** A migration that takes a while, and makes a table of its own. */
export function nap(table: string): string {
  return `
-- migrate:up
CREATE TABLE ${table} (id bigint PRIMARY KEY);
SELECT pg_sleep(${NAP_SECONDS});
-- migrate:down
DROP TABLE ${table};
`
}

/** Migrations that reach the limits of time, memory and answers. */
export const REACHES_ALL = {
  hugeError: `
-- migrate:up
ALTER TABLE customers ADD COLUMN phone text;
DO $$ BEGIN RAISE EXCEPTION 'beginning % end', repeat('ä long story ', 10000); END $$;
${DOWN}`,
  slow: `
-- migrate:up
ALTER TABLE customers ADD COLUMN phone text;
SELECT pg_sleep(${SLOW_SECONDS});
${DOWN}`,
  endless: `
-- migrate:up
ALTER TABLE customers ADD COLUMN phone text;
SELECT pg_sleep(600);
${DOWN}`,
  stuck: `
type Context = { readonly query: (sql: string) => Promise<unknown> }

export async function up({ query }: Context): Promise<void> {
  await query('ALTER TABLE customers ADD COLUMN phone text')
  for (;;) Math.random()
}

export async function down({ query }: Context): Promise<void> {
  await query('ALTER TABLE customers DROP COLUMN phone')
}
`,
  hungry: `
type Context = { readonly query: (sql: string) => Promise<unknown> }

export async function up({ query }: Context): Promise<void> {
  await query('ALTER TABLE customers ADD COLUMN phone text')
  const kept: Buffer[] = []
  for (;;) {
    kept.push(Buffer.alloc(16 * 1024 * 1024, 1))
    await query('SELECT 1')
  }
}

export async function down({ query }: Context): Promise<void> {
  await query('ALTER TABLE customers DROP COLUMN phone')
}
`,
} as const
