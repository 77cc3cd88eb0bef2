import pg from 'pg'
import { withServer } from './server.ts'

const ROWS = 2_000_000

const WORK: readonly (readonly [work: string, sql: string])[] = [
  ['rewrite', 'ALTER TABLE orders ALTER COLUMN total TYPE bigint'],
  ['rewrite', 'ALTER TABLE orders ADD COLUMN token uuid DEFAULT gen_random_uuid()'],
  ['rewrite', 'VACUUM FULL orders'],
  ['index', 'CREATE INDEX orders_status ON orders (status, placed_at)'],
  ['index', 'CREATE INDEX orders_note ON orders (note)'],
  ['index', 'ALTER TABLE orders ADD UNIQUE (id, total)'],
  ['scan', 'ALTER TABLE orders ADD CHECK (total >= 0)'],
  ['scan', 'ALTER TABLE orders ALTER COLUMN note SET NOT NULL'],
  ['scan', 'ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers'],
]

/** `ddl`: how many bytes of a table with two indexes a server gets through each second, by what it does with it. */
export async function benchDdl(): Promise<void> {
  await withServer(async (url) => {
    const client = new pg.Client({ connectionString: url.href })
    await client.connect()
    try {
      for (const sql of PREPARE) await client.query(sql)
      for (const [work, sql] of WORK) await measure(client, work, sql)
    } finally {
      await client.end()
    }
  })
}

const PREPARE = [
  'CREATE TABLE customers (id int PRIMARY KEY)',
  'INSERT INTO customers SELECT generate_series(1, 10000)',
  'CREATE TABLE orders (id int, customer_id int, total int, status text, placed_at timestamptz, note text)',
  `INSERT INTO orders SELECT n, n % 10000 + 1, n % 977, 'open', now(), md5(n::text) || md5((n * 7)::text)
   FROM generate_series(1, ${ROWS}) n`,
  'ALTER TABLE orders ADD PRIMARY KEY (id)',
  'CREATE INDEX orders_customer_id ON orders (customer_id)',
  'VACUUM ANALYZE orders',
  'CHECKPOINT',
]

async function measure(client: pg.Client, work: string, sql: string): Promise<void> {
  const { rows } = await client.query<{ readonly bytes: string }>("SELECT pg_total_relation_size('orders') AS bytes")
  const began = performance.now()
  await client.query(sql)
  const ms = performance.now() - began
  const rate = Number(rows[0]?.bytes) / ms / 1000
  console.log(`${work.padEnd(8)} ${rate.toFixed(0).padStart(5)} MB/s  ${ms.toFixed(0).padStart(6)} ms  ${sql}`)
}
