import type { CLIENTS } from '../../lambda/engine/hazards/clients.ts'
import type { Example } from './example.ts'

export const CLIENT_EXAMPLES = {
  'column-renamed': {
    bad: 'ALTER TABLE orders RENAME COLUMN total TO amount;',
    safe: ['ALTER TABLE orders ADD COLUMN amount int;'],
  },
  'table-renamed': {
    bad: 'ALTER TABLE orders RENAME TO purchases;',
    safe: [
      `ALTER TABLE orders RENAME TO purchases;
CREATE VIEW orders AS SELECT * FROM purchases;`,
    ],
  },
  'schema-renamed': {
    given: 'CREATE SCHEMA sales; CREATE TABLE sales.leads (id bigint PRIMARY KEY);',
    bad: 'ALTER SCHEMA sales RENAME TO crm;',
    safe: [
      `CREATE SCHEMA crm;
CREATE VIEW crm.leads AS SELECT * FROM sales.leads;`,
    ],
  },
  'column-dropped': {
    bad: 'ALTER TABLE orders DROP COLUMN status;',
    safe: null,
  },
  'table-dropped': {
    bad: 'DROP TABLE customers;',
    safe: null,
  },
  'view-dropped': {
    given: "CREATE VIEW open_orders AS SELECT * FROM orders WHERE status = 'open';",
    bad: 'DROP VIEW open_orders;',
    safe: [
      `DROP VIEW open_orders;
CREATE VIEW open_orders AS SELECT id, status FROM orders WHERE status = 'open';`,
    ],
  },
  'schema-dropped': {
    given: 'CREATE SCHEMA sales;',
    bad: 'DROP SCHEMA sales;',
    safe: null,
  },
  'type-dropped': {
    given: `CREATE TYPE mood AS ENUM ('sad', 'happy');`,
    bad: 'DROP TYPE mood;',
    safe: null,
  },
  'function-dropped': {
    given: 'CREATE FUNCTION vat(total int) RETURNS int LANGUAGE sql AS $$ SELECT total * 19 / 100 $$;',
    bad: 'DROP FUNCTION vat(int);',
    safe: ['CREATE OR REPLACE FUNCTION vat(total int) RETURNS int LANGUAGE sql AS $$ SELECT total * 20 / 100 $$;'],
  },
  'drop-cascades': {
    given: `CREATE FUNCTION vat(total int) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT total * 19 / 100 $$;
ALTER TABLE orders ADD CONSTRAINT orders_vat CHECK (vat(total) >= 0);`,
    bad: `DROP FUNCTION vat(int) CASCADE;
CREATE FUNCTION vat(total int) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT total * 20 / 100 $$;`,
    safe: ['ALTER TABLE orders DROP CONSTRAINT orders_vat;', 'DROP FUNCTION vat(int);'],
  },
  'not-null-dropped': {
    bad: 'ALTER TABLE customers ALTER COLUMN email DROP NOT NULL;',
    safe: null,
  },
  'not-null-without-default': {
    bad: 'ALTER TABLE orders ADD COLUMN currency text NOT NULL;',
    safe: [`ALTER TABLE orders ADD COLUMN currency text NOT NULL DEFAULT 'EUR';`],
  },
  'enum-value-renamed': {
    given: `CREATE TYPE mood AS ENUM ('sad', 'happy');`,
    bad: `ALTER TYPE mood RENAME VALUE 'sad' TO 'gloomy';`,
    safe: [`ALTER TYPE mood ADD VALUE 'gloomy' AFTER 'sad';`],
  },
  'update-without-where': {
    bad: `UPDATE orders SET status = 'open';`,
    also: ['data-updated'],
    safe: [`UPDATE orders SET status = 'open' WHERE status IS NULL;`],
  },
  'delete-without-where': {
    bad: 'DELETE FROM orders;',
    safe: [`DELETE FROM orders WHERE status = 'draft';`],
  },
  'data-deleted': {
    bad: `DELETE FROM orders WHERE status = 'draft';`,
    safe: [`UPDATE orders SET status = 'deleted' WHERE status = 'draft';`],
  },
  'data-updated': {
    bad: `UPDATE orders SET status = 'closed' WHERE status = 'done';`,
    safe: [
      `INSERT INTO orders (id, customer_id, status) SELECT id + 1000, customer_id, 'closed' FROM orders WHERE status = 'done';`,
    ],
  },
  'rows-changed-by-code': {
    given: `CREATE FUNCTION tidy() RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'DELETE FROM orders WHERE id < 0'; END $$;`,
    bad: 'SELECT tidy();',
    safe: ['DELETE FROM orders WHERE id < 0;'],
  },
  'code-not-seen': {
    bad: `DO $$ BEGIN
  IF EXISTS (SELECT FROM orders WHERE total < 0) THEN
    ALTER TABLE orders ADD COLUMN refund int;
  END IF;
END $$;`,
    safe: ['ALTER TABLE orders ADD COLUMN IF NOT EXISTS refund int;'],
  },
} as const satisfies Readonly<Record<Exclude<keyof typeof CLIENTS, 'existing-data-violates'>, Example>>
