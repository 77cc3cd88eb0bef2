import type { AFTERMATH } from '../../lambda/engine/hazards/aftermath.ts'
import type { Example } from './example.ts'

export const AFTERMATH_EXAMPLES = {
  'invalid-index-left': {
    given: `CREATE TABLE events (id bigint NOT NULL, day date NOT NULL, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');`,
    bad: { outside: 'CREATE INDEX events_day ON ONLY events (day);' },
    safe: [
      {
        outside: `CREATE INDEX events_day ON ONLY events (day);
CREATE INDEX CONCURRENTLY events_2026_day ON events_2026 (day);
ALTER INDEX events_day ATTACH PARTITION events_2026_day;`,
      },
    ],
  },
  'foreign-key-without-index': {
    bad: `CREATE TABLE payments (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  order_id bigint NOT NULL REFERENCES orders
);`,
    safe: [
      `CREATE TABLE payments (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  order_id bigint NOT NULL REFERENCES orders
);
CREATE INDEX payments_order_id ON payments (order_id);`,
    ],
  },
  'table-without-primary-key': {
    bad: 'CREATE TABLE visits (page text NOT NULL, at timestamptz NOT NULL);',
    safe: [
      `CREATE TABLE visits (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  page text NOT NULL,
  at timestamptz NOT NULL
);`,
    ],
  },
  'json-column': {
    bad: 'ALTER TABLE orders ADD COLUMN details json;',
    safe: ['ALTER TABLE orders ADD COLUMN details jsonb;'],
  },
  'several-alter-tables': {
    bad: `ALTER TABLE orders ADD COLUMN note text;
ALTER TABLE orders ADD COLUMN currency text;`,
    safe: ['ALTER TABLE orders ADD COLUMN note text, ADD COLUMN currency text;'],
  },
  'not-observed': {
    bad: 'ALTER TABLE purchases ADD COLUMN note text;',
    safe: ['ALTER TABLE orders ADD COLUMN note text;'],
  },
} as const satisfies Readonly<Record<Exclude<keyof typeof AFTERMATH, 'concurrent-index-corruption'>, Example>>
