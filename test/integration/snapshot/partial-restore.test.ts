import { expect, test } from 'vitest'
import { restoreSnapshot } from '../../../lambda/snapshot/restore.ts'
import { restoreTables } from '../../../lambda/snapshot/restore-tables.ts'
import { createSnapshot, type SnapshotContext } from '../../../lambda/snapshot/snapshot.ts'
import { createDatabase, databaseAt, type TestDatabase } from '../../support/database.ts'
import { contextFor, databasesOf, directoryStore, dropLater, reportOfFailure } from './support.ts'

const SHOP = `
  CREATE TABLE customer (id int PRIMARY KEY); INSERT INTO customer VALUES (1), (2);
  CREATE TABLE orders (id int PRIMARY KEY, customer_id int REFERENCES customer (id) ON DELETE CASCADE);
  INSERT INTO orders VALUES (1, 1), (2, 2);
  CREATE TABLE line (order_id int REFERENCES orders (id)); INSERT INTO line VALUES (1);
  CREATE TABLE event (at int, customer_id int REFERENCES customer (id)) PARTITION BY RANGE (at);
  CREATE TABLE event_1 PARTITION OF event FOR VALUES FROM (0) TO (10);
  INSERT INTO event VALUES (1, 2)`

/** A snapshot without the rows of the customers, to which others refer. */
async function takenSnapshot(): Promise<{
  readonly database: TestDatabase
  readonly context: SnapshotContext
  readonly uri: string
}> {
  const database = await createDatabase()
  await database.rows(SHOP)
  const context = contextFor(database, await directoryStore())
  const selection = { scope: { kind: 'database' }, exclude: ['public.customer'], historySchema: 'lockstep' } as const
  const { uri } = await createSnapshot(context, { runId: 'run', selection })
  return { database, context, uri }
}

test('never takes the place of the database without all its rows', async () => {
  const { database, context, uri } = await takenSnapshot()

  const report = await reportOfFailure(restoreSnapshot(context, { uri }))

  expect(report).toMatchObject({ code: 'RESTORE_FAILED', state: 'The database has not been touched.' })
  expect(report.message).toContain('the snapshot holds no rows of public.customer')
  expect(report.remedy).toContain('--into')
  expect(await databasesOf(database)).toEqual([database.name])
})

test('restores beside it, with foreign keys to the missing rows that hold from now on', async () => {
  const { database, context, uri } = await takenSnapshot()
  const into = dropLater(`${database.name}_copy`)

  const { warnings } = await restoreSnapshot(context, { uri, into })

  const copy = databaseAt(into)
  expect(await copy.rows('SELECT id, customer_id FROM orders ORDER BY id')).toEqual([
    { id: 1, customer_id: 1 },
    { id: 2, customer_id: 2 },
  ])
  expect(
    await copy.rows(
      `SELECT conname AS name, convalidated AS valid FROM pg_constraint WHERE contype = 'f' ORDER BY 1, 2`,
    ),
  ).toEqual([
    { name: 'event_customer_id_fkey', valid: false },
    { name: 'event_customer_id_fkey', valid: false },
    { name: 'line_order_id_fkey', valid: true },
    { name: 'orders_customer_id_fkey', valid: false },
  ])
  expect(warnings).toEqual([
    'The foreign key from public.event to public.customer, whose rows are not in the snapshot, is NOT VALID.',
    'The foreign key from public.orders to public.customer, whose rows are not in the snapshot, is NOT VALID.',
  ])
  await expect(copy.rows('INSERT INTO orders VALUES (3, 3)')).rejects.toThrow('violates foreign key constraint')
})

test('restores single tables of it, and none of those without rows', async () => {
  const { context, uri } = await takenSnapshot()

  expect(await restoreTables(context, { uri, tables: ['public.orders'] })).toMatchObject({ rows: 2 })
  const report = await reportOfFailure(restoreTables(context, { uri, tables: ['public.customer'] }))

  expect(report.message).toContain('the snapshot holds no rows of public.customer')
})
