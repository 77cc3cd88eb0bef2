import pg from 'pg'

/** Sessions that write all the time, as an application does. */
export interface Writers {
  /** Ends them, and tells what they went through. */
  readonly stop: () => Promise<WriterReport>
}

export interface WriterReport {
  /** The longest that one transaction took. Milliseconds. */
  readonly longestMs: number
  readonly transactions: number
}

const COUNT = 8
const ROWS = 1000

/** Makes the table that is written to, read and migrated. */
export async function createTable(url: string): Promise<void> {
  const client = await open(url)
  await client.query(`CREATE TABLE orders (id int PRIMARY KEY, total int NOT NULL);
CREATE TABLE entries (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, order_id int REFERENCES orders (id));
INSERT INTO orders SELECT n, 0 FROM generate_series(1, ${ROWS}) n`)
  await client.end()
}

/** Starts to write: an update and an insert in each transaction. */
export async function startWriters(url: string): Promise<Writers> {
  const clients = await Promise.all(Array.from({ length: COUNT }, () => open(url)))
  const state = { stopped: false, longestMs: 0, transactions: 0 }
  const loops = clients.map(async (client, index) => {
    for (let turn = 0; !state.stopped; turn += 1) {
      // Every writer has rows of its own: only the migration is to keep it waiting.
      const id = ((turn * COUNT + index) % ROWS) + 1
      const began = performance.now()
      await client.query(`BEGIN; UPDATE orders SET total = total + 1 WHERE id = ${id};
INSERT INTO entries (order_id) VALUES (${id}); COMMIT`)
      state.longestMs = Math.max(state.longestMs, performance.now() - began)
      state.transactions += 1
    }
  })
  return {
    stop: async () => {
      state.stopped = true
      await Promise.all(loops)
      await Promise.all(clients.map((client) => client.end()))
      return { longestMs: state.longestMs, transactions: state.transactions }
    },
  }
}

/** Holds a transaction open that has read the table; the promise resolves when it has ended. */
export async function startReader(url: string, forMs: number): Promise<{ readonly gone: Promise<number> }> {
  const client = await open(url)
  await client.query('BEGIN; SELECT count(*) FROM orders')
  const leave = async (): Promise<number> => {
    await client.query(`SELECT pg_sleep(${forMs / 1000}); COMMIT`)
    const now = performance.now()
    await client.end()
    return now
  }
  return { gone: leave() }
}

async function open(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: 'bench' })
  await client.connect()
  return client
}
