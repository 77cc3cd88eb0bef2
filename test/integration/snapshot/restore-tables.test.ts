import { expect, test } from 'vitest'
import { restoreTables } from '../../../lambda/snapshot/restore-tables.ts'
import { createSnapshot, type SnapshotContext } from '../../../lambda/snapshot/snapshot.ts'
import { createDatabase, type TestDatabase } from '../../support/database.ts'
import { contentOf, contextFor, databasesOf, directoryStore, reportOfFailure, type Content } from './support.ts'

interface Taken {
  readonly database: TestDatabase
  readonly context: SnapshotContext
  readonly uri: string
}

const NOW = new Date('2026-11-21T08:30:00Z')

/** Tables that depend on much: types, functions, sequences, each other, partitions, parents, another schema. */
async function takenSnapshot(): Promise<Taken> {
  const database = await createDatabase()
  await database.rows(`
    CREATE TYPE mood AS ENUM ('sad', 'happy');
    CREATE FUNCTION is_fine(text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT $1 <> '' $$;
    CREATE FUNCTION noisy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'the trigger acts'; END $$;
    CREATE SCHEMA "Odd Shop";
    CREATE TABLE customer (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text);
    INSERT INTO customer (name) VALUES ('a'), ('b');
    CREATE TABLE orders (
      id serial PRIMARY KEY,
      customer_id int REFERENCES customer (id),
      mood mood DEFAULT 'happy',
      note text CHECK (is_fine(note)),
      doubled int GENERATED ALWAYS AS (customer_id * 2) STORED);
    INSERT INTO orders (customer_id, note) SELECT n % 2 + 1, 'note ' || n FROM generate_series(1, 500) n;
    CREATE INDEX orders_note ON orders (lower(note)) WHERE note <> 'x';
    COMMENT ON INDEX orders_note IS 'for searching';
    COMMENT ON COLUMN orders.note IS 'what was said';
    CREATE TRIGGER noisy BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION noisy();
    ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
    CREATE TABLE event (id int, at int, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
    CREATE TABLE event_1 PARTITION OF event FOR VALUES FROM (0) TO (10);
    CREATE TABLE "Odd Shop"."event.2" PARTITION OF event FOR VALUES FROM (10) TO (20);
    CREATE INDEX event_at ON event (at);
    INSERT INTO event SELECT n, n FROM generate_series(0, 19) n;
    CREATE TABLE parent (id int);
    CREATE TABLE child (extra text) INHERITS (parent);
    INSERT INTO child VALUES (1, 'x');
    CREATE SCHEMA a; CREATE TABLE a."b.c" (n int); CREATE SCHEMA "a.b"; CREATE TABLE "a.b".c (n int)`)
  const context = contextFor(database, await directoryStore(), { now: () => NOW })
  const { uri } = await createSnapshot(context, { runId: 'run' })
  return { database, context, uri }
}

/** What a database holds outside of the schemas that restores made. */
async function originalsOf(database: TestDatabase): Promise<Pick<Content, 'tables'>> {
  const { tables } = await contentOf(database)
  return { tables: Object.fromEntries(Object.entries(tables).filter(([name]) => !name.includes('_restored_'))) }
}

test('restores tables with rows, indexes, defaults and sequences into a schema beside the originals', async () => {
  const { database, context, uri } = await takenSnapshot()
  await database.rows(`DELETE FROM orders WHERE id > 10; ALTER TABLE orders RENAME COLUMN note TO remark`)
  const before = await originalsOf(database)

  const restored = await restoreTables(context, { uri, tables: ['public.orders'] })

  expect(restored).toMatchObject({
    database: database.name,
    tables: 1,
    rows: 500,
    replaced: null,
    copies: [{ table: 'public.orders', restoredAs: 'public_restored_20261121083000.orders', rows: 500 }],
  })
  const side = '"public_restored_20261121083000".orders'
  expect(
    await database.rows(`SELECT count(*)::int AS n, sum(doubled)::int AS doubled, max(note) AS note FROM ${side}`),
  ).toEqual([{ n: 500, doubled: 1500, note: 'note 99' }])
  // The sequence is its own, and goes on where it was; the default, the type and the check are as they were.
  expect(await database.rows(`INSERT INTO ${side} (note) VALUES ('new') RETURNING id, mood::text`)).toEqual([
    { id: 501, mood: 'happy' },
  ])
  await expect(database.rows(`INSERT INTO ${side} (note) VALUES ('')`)).rejects.toThrow('orders_note_check')
  const objects = await database.rows(
    `SELECT c.relname AS name, obj_description(c.oid) AS comment FROM pg_class c
      WHERE c.relnamespace = 'public_restored_20261121083000'::regnamespace ORDER BY 1`,
  )
  expect(objects).toEqual([
    { name: 'orders', comment: null },
    { name: 'orders_id_seq', comment: null },
    { name: 'orders_note', comment: 'for searching' },
    { name: 'orders_pkey', comment: null },
  ])
  // Nothing that binds the originals, or acts by itself.
  expect(
    await database.rows(
      `SELECT contype FROM pg_constraint WHERE conrelid = '${side}'::regclass AND contype NOT IN ('c', 'p', 'n')
       UNION ALL SELECT 't' FROM pg_trigger WHERE tgrelid = '${side}'::regclass`,
    ),
  ).toEqual([])
  expect(await originalsOf(database)).toEqual(before)
  expect(await databasesOf(database)).toEqual([database.name])
})

test('restores a table that was dropped, partitions of a partitioned one, and a child without its parent', async () => {
  const { database, context, uri } = await takenSnapshot()
  await database.rows(`DROP TABLE event; DROP SCHEMA "Odd Shop"`)

  const restored = await restoreTables(context, {
    uri,
    tables: ['public.event', 'public.child'],
    intoSchema: 'Side "one"',
  })

  expect(restored.copies?.map(({ table }) => table)).toEqual([
    'public.event',
    'Odd Shop.event.2',
    'public.event_1',
    'public.child',
  ])
  expect(await database.rows(`SELECT count(*)::int AS n FROM "Side ""one""".event`)).toEqual([{ n: 20 }])
  expect(await database.rows(`SELECT at FROM "Side ""one"""."event.2" WHERE at > 18`)).toEqual([{ at: 19 }])
  expect(await database.rows(`SELECT * FROM "Side ""one""".child`)).toEqual([{ id: 1, extra: 'x' }])
  // The original parent has its own child only, whose row it shows.
  expect(await database.rows('SELECT id FROM parent')).toEqual([{ id: 1 }])
  expect(
    await database.rows(`SELECT indexrelid::regclass::text AS index FROM pg_index
      WHERE indrelid = '"Side ""one""".event'::regclass AND indisvalid ORDER BY 1`),
  ).toHaveLength(2)
})

test.each([
  [
    'is not in the snapshot',
    { tables: ['public.Orders', 'orders'] },
    'holds no table public.Orders, orders, but public.orders',
  ],
  ['name may be two tables', { tables: ['a.b.c'] }, '"a.b.c" may be "a"."b.c" or "a.b"."c"'],
  ['schema exists', { tables: ['public.orders'], intoSchema: 'public' }, 'schema "public" exists already'],
])('refuses, before anything is made, when a %s', async (_what, request, message) => {
  const { database, context, uri } = await takenSnapshot()

  const report = await reportOfFailure(restoreTables(context, { uri, ...request }))

  expect(report).toMatchObject({ code: 'RESTORE_FAILED', state: 'The database has not been touched.' })
  expect(report.message).toContain(message)
  expect(await databasesOf(database)).toEqual([database.name])
})

test('names what the tables need and the database does not have any more, and leaves nothing behind', async () => {
  const { database, context, uri } = await takenSnapshot()
  await database.rows('DROP TABLE orders; DROP TYPE mood')

  const report = await reportOfFailure(restoreTables(context, { uri, tables: ['public.orders'] }))

  expect(report).toMatchObject({
    code: 'RESTORE_FAILED',
    sqlState: '42704',
    state: 'No table was restored, and the originals have not been touched.',
  })
  expect(report.message).toContain('type "public.mood" does not exist')
  expect(report.remedy).toContain('create it as it was')
  expect(await database.rows(`SELECT nspname FROM pg_namespace WHERE nspname LIKE '%restored%'`)).toEqual([])
  expect(await databasesOf(database)).toEqual([database.name])
})
