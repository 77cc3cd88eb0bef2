import type { REWRITES } from '../../lambda/engine/hazards/rewrites.ts'
import type { Example } from './example.ts'

export const REWRITE_EXAMPLES = {
  'rewrite-column-type': {
    bad: 'ALTER TABLE orders ALTER COLUMN total TYPE bigint;',
    safe: [
      'ALTER TABLE orders ADD COLUMN total_cents bigint;',
      'ALTER TABLE customers ALTER COLUMN name TYPE varchar(80);',
    ],
  },
  'rewrite-column-default': {
    bad: 'ALTER TABLE orders ADD COLUMN token uuid DEFAULT gen_random_uuid();',
    safe: [
      'ALTER TABLE orders ADD COLUMN token uuid, ALTER COLUMN token SET DEFAULT gen_random_uuid();',
      'UPDATE orders SET token = gen_random_uuid() WHERE token IS NULL;',
    ],
  },
  'rewrite-generated-column': {
    bad: 'ALTER TABLE orders ADD COLUMN gross int GENERATED ALWAYS AS (total * 119 / 100) STORED;',
    safe: ['ALTER TABLE orders ADD COLUMN gross int GENERATED ALWAYS AS (total * 119 / 100) VIRTUAL;'],
  },
  'rewrite-logged': {
    bad: 'ALTER TABLE orders SET UNLOGGED;',
    safe: ['CREATE UNLOGGED TABLE orders_cache (LIKE orders INCLUDING ALL);'],
  },
  'rewrite-table': {
    bad: { outside: 'VACUUM (FULL) orders;' },
    safe: [{ outside: 'VACUUM orders;' }],
  },
  'table-truncated': {
    bad: 'TRUNCATE orders;',
    safe: [`DELETE FROM orders WHERE placed_at < '2020-01-01';`],
  },
  'truncate-cascades': {
    given: `CREATE TABLE payments (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  order_id bigint REFERENCES orders
);`,
    bad: 'TRUNCATE orders CASCADE;',
    safe: ['TRUNCATE orders, payments;'],
  },
} as const satisfies Readonly<Record<keyof typeof REWRITES, Example>>
