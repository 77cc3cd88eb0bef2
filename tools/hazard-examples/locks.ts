import type { LOCKS } from '../../lambda/engine/hazards/locks.ts'
import type { Example } from './example.ts'

const EVENTS = `CREATE TABLE events (id bigint NOT NULL, day date NOT NULL, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');`

const STAMP = `CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.placed_at := now(); RETURN NEW; END $$;`

export const LOCK_EXAMPLES = {
  'index-not-concurrent': {
    bad: 'CREATE INDEX orders_total ON orders (total);',
    safe: [{ outside: 'CREATE INDEX CONCURRENTLY orders_total ON orders (total);' }],
  },
  'index-dropped-not-concurrent': {
    bad: 'DROP INDEX orders_status;',
    safe: [{ outside: 'DROP INDEX CONCURRENTLY orders_status;' }],
  },
  'reindex-not-concurrent': {
    bad: 'REINDEX INDEX orders_status;',
    safe: [{ outside: 'REINDEX INDEX CONCURRENTLY orders_status;' }],
  },
  'unique-constraint-builds-index': {
    bad: 'ALTER TABLE customers ADD CONSTRAINT customers_email_key UNIQUE (email);',
    safe: [
      {
        outside: `CREATE UNIQUE INDEX CONCURRENTLY customers_email_key ON customers (email);
ALTER TABLE customers ADD CONSTRAINT customers_email_key UNIQUE USING INDEX customers_email_key;`,
      },
    ],
  },
  'exclusion-constraint-builds-index': {
    bad: `ALTER TABLE orders ADD CONSTRAINT orders_once EXCLUDE USING btree (customer_id WITH =, placed_at WITH =);`,
    safe: [
      `CREATE TABLE orders_new (
  LIKE orders INCLUDING ALL,
  CONSTRAINT orders_once EXCLUDE USING btree (customer_id WITH =, placed_at WITH =)
);`,
    ],
  },
  'check-constraint-validated': {
    bad: 'ALTER TABLE orders ADD CONSTRAINT orders_total_positive CHECK (total > 0);',
    safe: [
      'ALTER TABLE orders ADD CONSTRAINT orders_total_positive CHECK (total > 0) NOT VALID;',
      'ALTER TABLE orders VALIDATE CONSTRAINT orders_total_positive;',
    ],
  },
  'foreign-key-validated': {
    bad: `ALTER TABLE orders ADD CONSTRAINT orders_customer_id_fkey
  FOREIGN KEY (customer_id) REFERENCES customers (id);`,
    safe: [
      `ALTER TABLE orders ADD CONSTRAINT orders_customer_id_fkey
  FOREIGN KEY (customer_id) REFERENCES customers (id) NOT VALID;`,
      'ALTER TABLE orders VALIDATE CONSTRAINT orders_customer_id_fkey;',
    ],
  },
  'validated-under-lock': {
    bad: `ALTER TABLE orders ADD CONSTRAINT orders_total_positive CHECK (total > 0) NOT VALID;
ALTER TABLE orders VALIDATE CONSTRAINT orders_total_positive;`,
    safe: [
      'ALTER TABLE orders ADD CONSTRAINT orders_total_positive CHECK (total > 0) NOT VALID;',
      'ALTER TABLE orders VALIDATE CONSTRAINT orders_total_positive;',
    ],
  },
  'domain-constraint-validated': {
    given: `CREATE DOMAIN amount AS int;
ALTER TABLE orders ALTER COLUMN total TYPE amount;`,
    bad: 'ALTER DOMAIN amount ADD CONSTRAINT amount_positive CHECK (VALUE > 0);',
    safe: ['ALTER DOMAIN amount ADD CONSTRAINT amount_positive CHECK (VALUE > 0) NOT VALID;'],
  },
  'set-not-null-scans': {
    bad: 'ALTER TABLE orders ALTER COLUMN total SET NOT NULL;',
    safe: [
      'ALTER TABLE orders ADD CONSTRAINT orders_total_not_null CHECK (total IS NOT NULL) NOT VALID;',
      'ALTER TABLE orders VALIDATE CONSTRAINT orders_total_not_null;',
      `ALTER TABLE orders ALTER COLUMN total SET NOT NULL;
ALTER TABLE orders DROP CONSTRAINT orders_total_not_null;`,
    ],
  },
  'partition-attached': {
    given: `${EVENTS}
CREATE TABLE events_2027 (id bigint NOT NULL, day date NOT NULL, PRIMARY KEY (id, day));`,
    bad: `ALTER TABLE events ATTACH PARTITION events_2027 FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');`,
    safe: [
      `ALTER TABLE events_2027 ADD CONSTRAINT events_2027_bounds
  CHECK (day >= '2027-01-01' AND day < '2028-01-01') NOT VALID;`,
      'ALTER TABLE events_2027 VALIDATE CONSTRAINT events_2027_bounds;',
      `ALTER TABLE events ATTACH PARTITION events_2027 FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');`,
    ],
  },
  'partition-detached': {
    given: EVENTS,
    bad: 'ALTER TABLE events DETACH PARTITION events_2026;',
    safe: [{ outside: 'ALTER TABLE events DETACH PARTITION events_2026 CONCURRENTLY;' }],
  },
  'partition-created': {
    given: EVENTS,
    bad: `CREATE TABLE events_2027 PARTITION OF events FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');`,
    safe: [
      `CREATE TABLE events_2027 (LIKE events INCLUDING ALL);
ALTER TABLE events ATTACH PARTITION events_2027 FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');`,
    ],
  },
  'materialized-view-refreshed': {
    given: `CREATE MATERIALIZED VIEW revenue AS SELECT customer_id, sum(total) AS total FROM orders GROUP BY customer_id;
CREATE UNIQUE INDEX revenue_customer_id ON revenue (customer_id);`,
    bad: 'REFRESH MATERIALIZED VIEW revenue;',
    safe: ['REFRESH MATERIALIZED VIEW CONCURRENTLY revenue;'],
  },
  'trigger-changed': {
    given: STAMP,
    bad: 'CREATE TRIGGER orders_stamp BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION stamp();',
    safe: null,
  },
  'explicit-lock': {
    bad: 'LOCK TABLE orders IN SHARE MODE;',
    safe: [`UPDATE orders SET status = 'open' WHERE status IS NULL;`],
  },
  'lock-timeout-disabled': {
    bad: `SET lock_timeout = 0;
ALTER TABLE orders ADD COLUMN note text;`,
    safe: ['ALTER TABLE orders ADD COLUMN note text;'],
  },
  'statements-after-exclusive-lock': {
    bad: `ALTER TABLE orders ADD COLUMN note text;
ALTER TABLE customers ADD COLUMN note text;`,
    safe: ['ALTER TABLE orders ADD COLUMN note text;', 'ALTER TABLE customers ADD COLUMN note text;'],
  },
  'backfill-with-schema-change': {
    bad: `ALTER TABLE orders ADD COLUMN currency text;
UPDATE orders SET currency = 'EUR' WHERE currency IS NULL;`,
    safe: [
      'ALTER TABLE orders ADD COLUMN currency text;',
      `UPDATE orders SET currency = 'EUR' WHERE currency IS NULL;`,
    ],
  },
} as const satisfies Readonly<Record<keyof typeof LOCKS, Example>>
