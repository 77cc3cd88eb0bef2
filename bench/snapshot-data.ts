import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { createRandom, createText } from './snapshot-words.ts'
import { databaseUrl } from './server.ts'

/** How many tables the database of small ones has. */
export const SMALL_TABLES = 2000
const ROWS_OF_SMALL_TABLE = 50

const SCHEMA = `
  CREATE TABLE customers (
    id bigint NOT NULL, name text NOT NULL, email text NOT NULL, balance numeric(12,2) NOT NULL,
    created_at timestamptz NOT NULL, profile jsonb NOT NULL);
  CREATE TABLE items (
    id bigint NOT NULL, order_id bigint NOT NULL, sku text NOT NULL, quantity int NOT NULL,
    price numeric(10,2) NOT NULL, added_at timestamptz NOT NULL);
  CREATE TABLE orders (
    id bigint NOT NULL, customer_id bigint NOT NULL, status text NOT NULL, total numeric(12,2) NOT NULL,
    placed_at timestamptz NOT NULL, note text, details jsonb NOT NULL);`

const CONSTRAINTS = `
  ALTER TABLE customers ADD PRIMARY KEY (id);
  ALTER TABLE orders ADD PRIMARY KEY (id);
  ALTER TABLE items ADD PRIMARY KEY (id);
  CREATE INDEX orders_customer ON orders (customer_id);
  CREATE INDEX orders_placed ON orders (placed_at);
  CREATE INDEX items_order ON items (order_id);
  ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers (id);`

const STATUS = ['paid', 'paid', 'paid', 'shipped', 'shipped', 'delivered', 'returned', 'open']
const PRODUCTS = 5000
const AGENTS = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.0.0 Safari/537.36',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15',
  'Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Mobile Safari/537.36',
  'Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0',
]
const BATCH_ROWS = 2000
/** Rows per gigabyte of COPY text; 80 % of the bytes are orders. */
const ORDERS = 1_160_000
const CUSTOMERS = 450_000
const ITEMS = 1_600_000

/** One table with four fifths of the bytes, and two others: `scale` gigabytes of realistic rows, always the same. */
export async function createLargeDatabase(server: URL, name: string, scale: number): Promise<string> {
  const url = await createDatabase(server, name)
  await withClient(url, async (client) => {
    await client.query(SCHEMA)
    const random = createRandom(20_261_121)
    const rows = createRows(random, Math.max(1, Math.round(CUSTOMERS * scale)))
    for (const [table, count] of [
      ['customers', CUSTOMERS],
      ['items', ITEMS],
      ['orders', ORDERS],
    ] as const) {
      await pipeline(
        Readable.from(batches(Math.round(count * scale), rows[table]), { objectMode: true }),
        client.query(copyFrom(`COPY ${table} FROM STDIN`)),
      )
    }
    await client.query(CONSTRAINTS)
  })
  await settle(url)
  return url
}

/** Tables such as an application with many tenants or many features has. */
export async function createSmallDatabase(server: URL, name: string): Promise<string> {
  const url = await createDatabase(server, name)
  await withClient(url, async (client) => {
    for (let start = 0; start < SMALL_TABLES; start += 100) {
      const statements = Array.from({ length: 100 }, (_, offset) => smallTable(start + offset))
      await client.query(statements.join(';'))
    }
  })
  await settle(url)
  return url
}

function smallTable(index: number): string {
  return `CREATE TABLE t${index} (id int PRIMARY KEY, name text NOT NULL, amount numeric(10,2), at timestamptz DEFAULT now());
    INSERT INTO t${index} SELECT n, 'name ' || n, n * 1.25 FROM generate_series(1, ${ROWS_OF_SMALL_TABLE}) n`
}

/** So that no measured run is the first to touch a page. */
async function settle(url: string): Promise<void> {
  await withClient(url, async (client) => {
    await client.query('VACUUM (FREEZE, ANALYZE)')
    await client.query('CHECKPOINT')
  })
}

async function createDatabase(server: URL, name: string): Promise<string> {
  await withClient(server.href, async (client) => void (await client.query(`CREATE DATABASE ${name}`)))
  return databaseUrl(server, name)
}

export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

function* batches(rows: number, row: (id: number) => string): Generator<Buffer> {
  for (let start = 0; start < rows; start += BATCH_ROWS) {
    let text = ''
    for (let id = start; id < Math.min(rows, start + BATCH_ROWS); id += 1) text += row(id + 1)
    yield Buffer.from(text)
  }
}

/** Rows as COPY reads them. */
function createRows(random: () => number, customers: number) {
  const text = createText(random)
  const integer = (below: number): number => Math.floor(random() * below)
  const money = (below: number): string => (random() * below).toFixed(2)
  const time = (id: number): string =>
    new Date(1_600_000_000_000 + id * 61_000 + integer(60_000)).toISOString().replace('T', ' ').replace('Z', '+00')
  const catalog = Array.from({ length: PRODUCTS }, (_, index) => ({
    sku: `SKU-${10_000 + index * 7}-${'ABCDEF'.charAt(integer(6))}`,
    title: text(3 + integer(4)),
    price: Number(money(200)),
  }))
  const blank = { sku: '', title: '', price: 0 }
  // Some products are bought often, most of them seldom.
  const product = () => catalog[Math.floor(PRODUCTS ** random()) - 1] ?? blank
  const line = (): object => ({ ...product(), quantity: 1 + integer(5) })
  const details = (): string =>
    JSON.stringify({
      channel: ['web', 'app', 'shop'][integer(3)],
      address: { street: `${text(2)} ${integer(300)}`, postcode: String(integer(90_000) + 10_000), city: text(1) },
      lines: Array.from({ length: 1 + integer(3) }, line),
      client: { agent: AGENTS[integer(AGENTS.length)], address: `10.${integer(256)}.${integer(256)}.${integer(256)}` },
      coupon: integer(10) === 0 ? `C${integer(10_000)}` : null,
    })
  return {
    customers: (id: number) =>
      `${id}\t${text(2)}\t${text(1)}.${id}@example.com\t${money(5000)}\t${time(id)}\t${JSON.stringify({ newsletter: integer(2) === 0, tags: [text(1), text(1)], about: text(6) })}\n`,
    items: (id: number) =>
      `${id}\t${1 + integer(ORDERS)}\t${product().sku}\t${1 + integer(5)}\t${money(200)}\t${time(id)}\n`,
    orders: (id: number) =>
      `${id}\t${1 + integer(customers)}\t${STATUS[integer(STATUS.length)] ?? 'open'}\t${money(900)}\t${time(id)}\t${integer(20) === 0 ? '\\N' : text(10 + integer(30))}\t${details()}\n`,
  }
}
