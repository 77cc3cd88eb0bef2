import { expect, test } from 'vitest'
import { affectedTables, type Affected } from '../../../../lambda/engine/affected/affected-tables.ts'
import type { Connection } from '../../../../lambda/engine/database.ts'
import { upStep } from '../../../../lambda/engine/plan/step.ts'
import { createDatabase } from '../../../support/database.ts'
import { code } from '../../../support/engine.ts'
import { differences, printsOf, runAll, stepOf } from './support.ts'

const SHOP = `
  CREATE SCHEMA other;
  CREATE TYPE mood AS ENUM ('sad', 'ok');
  CREATE TYPE address AS (street text, city text);
  CREATE DOMAIN positive AS int CHECK (VALUE > 0);
  CREATE TABLE customers (id int PRIMARY KEY, name text, feels mood DEFAULT 'ok', lives address);
  CREATE TABLE orders (id int PRIMARY KEY, customer int REFERENCES customers ON DELETE CASCADE, total positive);
  CREATE TABLE items (id int PRIMARY KEY, "order" int REFERENCES orders ON DELETE SET NULL);
  CREATE TABLE invoices (id int PRIMARY KEY, "order" int REFERENCES orders);
  CREATE TABLE log (id int GENERATED ALWAYS AS IDENTITY, line text);
  CREATE TABLE big (id int PRIMARY KEY, data text);
  CREATE TABLE events (id int, at date) PARTITION BY RANGE (at);
  CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
  CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
  CREATE TABLE animals (id int); CREATE TABLE dogs (bark text) INHERITS (animals);
  CREATE TABLE other.customers (id int PRIMARY KEY);
  CREATE VIEW rich AS SELECT * FROM customers WHERE id > 1;
  CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO log (line) VALUES (TG_TABLE_NAME); RETURN NEW; END $$;
  CREATE TRIGGER noted AFTER INSERT OR UPDATE ON invoices FOR EACH ROW EXECUTE FUNCTION note();
  CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.data := now()::text; RETURN NEW; END $$;
  CREATE TRIGGER stamped BEFORE UPDATE ON big FOR EACH ROW EXECUTE FUNCTION stamp();
  CREATE FUNCTION clear(what text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'DELETE FROM ' || what; END $$;
  CREATE FUNCTION purge() RETURNS void LANGUAGE sql AS 'DELETE FROM items WHERE id > 0';
  CREATE FUNCTION twice(n int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT n * 2';
  CREATE TABLE doubled (n int, m int GENERATED ALWAYS AS (twice(n)) STORED);
  CREATE TABLE counters (n int); INSERT INTO counters VALUES (0);
  CREATE FUNCTION next_number() RETURNS int LANGUAGE plpgsql AS
    $$ DECLARE found int; BEGIN UPDATE counters SET n = n + 1 RETURNING n INTO found; RETURN found; END $$;
  CREATE TABLE numbered (n int DEFAULT next_number());
  CREATE VIEW numbers AS SELECT next_number() AS n;
  CREATE FUNCTION looks() RETURNS int STABLE LANGUAGE plpgsql AS $$ BEGIN RETURN public.next_number(); END $$;
  CREATE TABLE requests (id int);
  CREATE RULE granted AS ON INSERT TO requests DO INSTEAD DELETE FROM orders WHERE id = NEW.id;
  CREATE FUNCTION counts(int) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN UPDATE counters SET n = n + 1; RETURN true; END $$;
  CREATE TABLE checked (id int); INSERT INTO checked VALUES (1);
  ALTER TABLE checked ADD CONSTRAINT counted CHECK (counts(id)) NOT VALID;
  CREATE FUNCTION nothing() RETURNS int LANGUAGE sql AS 'SELECT 0';
  CREATE EXTENSION tablefunc;
  CREATE VIEW told AS SELECT query_to_xml('SELECT next_number()', true, true, '') AS x;
  CREATE TABLE telling (n int, x xml DEFAULT query_to_xml('SELECT next_number()', true, true, ''));
  CREATE FUNCTION same(a int, b int) RETURNS bool LANGUAGE sql AS $$ INSERT INTO log (line) VALUES ('='); SELECT a = b $$;
  INSERT INTO customers VALUES (1, 'a', 'ok', ('x', 'y')), (2, 'b', 'sad', NULL);
  INSERT INTO other.customers VALUES (1);
  INSERT INTO orders VALUES (1, 1, 5), (2, 2, 6); INSERT INTO items VALUES (1, 1), (2, 2); INSERT INTO log (line) VALUES ('x');
  INSERT INTO big VALUES (1, 'x'); INSERT INTO events VALUES (1, '2025-05-05'), (2, '2026-05-05');
  INSERT INTO animals VALUES (1); INSERT INTO dogs VALUES (2, 'wuff'); INSERT INTO doubled VALUES (1)`

interface Compared {
  readonly affected: Affected
  /** Statements that PostgreSQL refused. */
  readonly refused: readonly string[]
  /** Changed on the server, but not foreseen. */
  readonly missed: readonly string[]
}

/** What is affected, and what PostgreSQL then does. */
async function compare(connection: Connection, text: string): Promise<Compared> {
  const step = await stepOf(text)
  await connection.execute('BEGIN')
  try {
    const affected = await affectedTables(connection, [step])
    const before = await printsOf(connection)
    const statements = step.statements.map((statement) => statement.sql)
    const done = await runAll(connection, statements)
    const changed = differences(before, await printsOf(connection))
    const known = affected.kind === 'unsure' ? changed : affected.tables.map(({ schema, name }) => `${schema}.${name}`)
    return {
      affected,
      refused: statements.filter((statement) => !done.includes(statement)),
      missed: changed.filter((name) => !known.includes(name)),
    }
  } finally {
    await connection.execute('ROLLBACK')
  }
}

function namesIn(affected: Affected): readonly string[] | string {
  if (affected.kind === 'unsure') return affected.why
  return affected.tables.map(({ schema, name }) => (schema === 'public' ? name : `${schema}.${name}`)).toSorted()
}

test('what statements can touch is told, and is never less than what they change', async () => {
  const database = await createDatabase()
  await database.rows(SHOP)
  const connection = await database.connect()
  const found: Record<string, readonly string[] | string> = {}
  for (const text of Object.keys(EXPECTED)) {
    const { affected, ...problems } = await compare(connection, text)
    expect({ text, ...problems }).toEqual({ text, refused: [], missed: [] })
    found[text] = namesIn(affected)
  }
  expect(found).toEqual(EXPECTED)
})

test('tables come with the reason', async () => {
  const database = await createDatabase()
  await database.rows(SHOP)

  expect((await compare(await database.connect(), 'DELETE FROM customers')).affected).toEqual({
    kind: 'tables',
    tables: [
      { schema: 'public', name: 'customers', why: 'DELETE in 1_step' },
      { schema: 'public', name: 'orders', why: 'references public.customers, and follows its changes' },
      { schema: 'public', name: 'items', why: 'references public.orders, and follows its changes' },
    ],
  })
})

test('what a run asks after a migration, and what it runs when it fails, counts as well', async () => {
  const database = await createDatabase()
  await database.rows(SHOP)
  const verified = await stepOf('CREATE TABLE fresh ()', { verify: 'SELECT looks() > 0' })
  const undone = await stepOf('CREATE TABLE more ()', { down: 'DROP TABLE more; DELETE FROM items' })

  const affected = await affectedTables(await database.connect(), [verified, undone])

  expect(affected).toEqual({
    kind: 'tables',
    tables: [
      { schema: 'public', name: 'items', why: 'DELETE in the down of 1_step' },
      { schema: 'public', name: 'counters', why: 'UPDATE in the function public.next_number' },
    ],
  })
})

test('an event trigger may be enabled, and tables may go with their access method', async () => {
  const database = await createDatabase()
  const name = `own_${database.name}`
  await database.rows(`${SHOP};
    CREATE FUNCTION noted() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log (line) VALUES ('ddl'); END $$;
    CREATE EVENT TRIGGER noting ON ddl_command_end EXECUTE FUNCTION noted();
    ALTER EVENT TRIGGER noting DISABLE;
    CREATE ACCESS METHOD ${name} TYPE TABLE HANDLER heap_tableam_handler; CREATE TABLE held (n int) USING ${name}`)
  const connection = await database.connect()
  const enabled = await compare(connection, 'ALTER EVENT TRIGGER noting ENABLE; CREATE TABLE fresh ()')
  const dropped = await compare(connection, `DROP ACCESS METHOD ${name} CASCADE`)

  expect(enabled).toMatchObject({ refused: [], missed: [] })
  expect(namesIn(enabled.affected)).toEqual(['log'])
  expect(namesIn(dropped.affected)).toBe('DROP ACCESS METHOD may take columns with it (in 1_step)')
})

test('a TypeScript migration may touch anything', async () => {
  const database = await createDatabase()
  const node = { migration: code('1_code', { up: async () => {} }), parents: [] }

  expect(await affectedTables(await database.connect(), [upStep(node)])).toEqual({
    kind: 'unsure',
    why: '1_code is code',
  })
})

const EXPECTED: Readonly<Record<string, readonly string[] | string>> = {
  // New things, and what changes no row.
  'CREATE TABLE fresh (id int REFERENCES big); INSERT INTO fresh SELECT 1 FROM big': [],
  'CREATE INDEX ON big (data); COMMENT ON TABLE big IS $$x$$; ANALYZE big; GRANT SELECT ON big TO public': [],
  'ALTER TABLE items ADD CONSTRAINT c CHECK (id > 0), ALTER COLUMN id SET NOT NULL, ALTER COLUMN id SET STATISTICS 5':
    [],
  'CREATE VIEW v AS SELECT * FROM big; CREATE TABLE fresh AS SELECT * FROM big': [],
  'DROP VIEW rich': [],
  "ALTER TYPE mood ADD VALUE 'glad'": [],
  'CREATE TRIGGER t AFTER INSERT ON big FOR EACH ROW EXECUTE FUNCTION note()': [],
  'ALTER TABLE events DETACH PARTITION events_1': [],
  // Structure.
  'ALTER TABLE big ADD COLUMN n int': ['big'],
  'ALTER TABLE big RENAME TO huge; ALTER TABLE huge DROP COLUMN data': ['big'],
  'ALTER TABLE events ADD COLUMN n int': ['events_1', 'events_2'],
  'ALTER TABLE animals ADD COLUMN n int': ['animals', 'dogs'],
  'ALTER TABLE other.customers ADD COLUMN n int': ['other.customers'],
  'ALTER TABLE customers ADD COLUMN n int': ['customers'],
  'SET search_path TO other; ALTER TABLE customers ADD COLUMN n int': ['customers', 'other.customers'],
  'DROP TABLE orders CASCADE': ['orders'],
  'DROP TABLE events': ['events_1', 'events_2'],
  'DROP SCHEMA other CASCADE': ['other.customers'],
  'DROP TYPE mood CASCADE': ['customers'],
  "ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'": ['customers'],
  'ALTER TYPE address ADD ATTRIBUTE country text': ['customers'],
  'DROP DOMAIN positive CASCADE': ['orders'],
  'DROP FUNCTION twice CASCADE': ['doubled'],
  'ALTER TABLE big SET UNLOGGED': ['big'],
  'ALTER TABLE animals ALTER COLUMN id TYPE bigint USING twice(id)': ['animals', 'dogs'],
  // Rows.
  "INSERT INTO big VALUES (9, 'z')": ['big'],
  'INSERT INTO customers SELECT id + 10 FROM big': ['customers'],
  'INSERT INTO customers VALUES (1) ON CONFLICT (id) DO UPDATE SET name = $$z$$': ['customers', 'items', 'orders'],
  'INSERT INTO invoices VALUES (1, 1)': ['invoices', 'log'],
  'DELETE FROM orders USING big WHERE big.id = orders.id': ['items', 'orders'],
  'UPDATE rich SET name = $$c$$': ['customers', 'items', 'orders'],
  'WITH gone AS (DELETE FROM items RETURNING *) SELECT * FROM gone': ['items'],
  'MERGE INTO big USING items ON big.id = items.id WHEN MATCHED THEN DELETE': ['big'],
  'UPDATE big SET id = 3': ['big'],
  'TRUNCATE items': ['items'],
  'TRUNCATE customers CASCADE': ['customers', 'invoices', 'items', 'log', 'orders'],
  'CREATE TABLE fresh (LIKE big); ALTER TABLE items ADD CONSTRAINT c CHECK (id > 0); DELETE FROM fresh': ['items'],
  'CREATE VIEW v AS SELECT * FROM big; DELETE FROM v': ['big'],
  'ALTER TABLE big RENAME TO was; CREATE VIEW big AS SELECT * FROM log; DELETE FROM big': ['big', 'log'],
  'CREATE RULE r AS ON INSERT TO big DO ALSO DELETE FROM log; INSERT INTO big VALUES (5)': ['big', 'log'],
  'CREATE TRIGGER t AFTER INSERT ON big FOR EACH ROW EXECUTE FUNCTION note(); INSERT INTO big VALUES (5)': [
    'big',
    'log',
  ],
  'CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ DELETE FROM log; SELECT 1 $$; SELECT f()': ['log'],
  'CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC DELETE FROM log; SELECT 1; END; SELECT f()': ['log'],
  'INSERT INTO requests VALUES (1)': ['items', 'orders', 'requests'],
  // Code.
  'SELECT looks()': ['counters'],
  'ALTER TABLE checked VALIDATE CONSTRAINT counted': ['checked', 'counters'],
  'ALTER FUNCTION nothing() RENAME TO no_more; ALTER FUNCTION purge() RENAME TO nothing; SELECT nothing()': ['items'],
  "SELECT * FROM crosstab('SELECT ''a''::text, ''b''::text, next_number()') AS t (a text, b int)":
    'the function crosstab runs SQL that it is given',
  'INSERT INTO numbered DEFAULT VALUES': ['counters', 'numbered'],
  'CREATE TABLE fresh AS SELECT * FROM numbers': ['counters'],
  'CREATE OPERATOR === (leftarg = int, rightarg = int, function = same); SELECT 1 === id FROM big': ['log'],
  'SELECT purge()': ['items'],
  'DO $$ BEGIN IF true THEN DELETE FROM log; END IF; PERFORM purge(); END $$': ['items', 'log'],
  'DO $$ BEGIN CREATE TYPE mood AS ENUM (); EXCEPTION WHEN duplicate_object THEN NULL; END $$': [],
  "DO $$ DECLARE n int := 1; BEGIN EXECUTE 'DELETE FROM log'; n := n + 1; END $$": ['log'],
  "SELECT clear('big')": 'public.clear puts SQL together (in the function public.clear)',
  "DO $$ BEGIN EXECUTE format('DELETE FROM %I', 'big'); END $$": 'a DO block puts SQL together (in 1_step)',
  "SELECT query_to_xml('SELECT purge()', true, true, '')": 'the function query_to_xml runs SQL that it is given',
  'SELECT * FROM told': 'what the function pg_catalog.query_to_xml does, in internal, is not known',
  'INSERT INTO telling (n) VALUES (1)': 'what the function pg_catalog.query_to_xml does, in internal, is not known',
  'ALTER SCHEMA other RENAME TO another': 'a schema is renamed (in 1_step)',
}
