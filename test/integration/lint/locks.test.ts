import { expect, inject, test } from 'vitest'
import { lintMigrations } from '../../../cli/lint/lint.ts'
import { buildGraph } from '../../../lambda/engine/plan/migration-graph.ts'
import type { Migration } from '../../../lambda/engine/migration/migration.ts'
import { code, sql } from '../../support/engine.ts'

async function locksOf(migrations: readonly Migration[]): Promise<Readonly<Record<string, readonly string[]>>> {
  const report = await lintMigrations(buildGraph(migrations), { pending: null, shadowUrl: inject('serverUrl') })
  return Object.fromEntries(
    report.linted.map(({ migration, locks }) => [
      migration.id,
      locks.map(({ relation, mode, line }) => `${relation} ${mode} ${line}`),
    ]),
  )
}

test('the strongest lock on each relation that was there before is kept, with the line that takes it', async () => {
  const locks = await locksOf([
    sql(
      '1_shop',
      'CREATE TABLE users (id int PRIMARY KEY);\nCREATE TABLE orders (id int, who int);\nCREATE VIEW v AS TABLE users;',
    ),
    sql('2_index', 'CREATE INDEX ON orders (who);\nINSERT INTO users VALUES (1);'),
    sql(
      '3_key',
      'CREATE INDEX ON orders (id);\nALTER TABLE orders ADD FOREIGN KEY (who) REFERENCES users;\nDROP VIEW v;',
    ),
    code('4_code', { up: async ({ query }) => void (await query('ALTER TABLE orders ADD note text')) }),
    sql('5_data', 'UPDATE orders SET note = $$x$$;\nCREATE TABLE own (id int);\nALTER TABLE own ADD a int;'),
  ])
  expect(locks).toEqual({
    '1_shop': [],
    '2_index': ['public.orders SHARE 2'],
    '3_key': [
      'public.orders SHARE ROW EXCLUSIVE 3',
      'public.users SHARE ROW EXCLUSIVE 3',
      'public.v ACCESS EXCLUSIVE 4',
    ],
    '4_code': ['public.orders ACCESS EXCLUSIVE null'],
    '5_data': [],
  })
})

const outside = (id: string, up: string): Migration => sql(id, up, undefined, { transaction: false })

test('outside of a transaction, locks are concluded from what was done', async () => {
  const locks = await locksOf([
    sql('1_shop', 'CREATE TABLE orders (id int PRIMARY KEY, who int);\nCREATE INDEX old ON orders (who);'),
    outside('2_build', 'CREATE INDEX CONCURRENTLY new ON orders (who);'),
    outside('3_drop', 'DROP INDEX CONCURRENTLY old;'),
    outside('4_again', 'REINDEX TABLE CONCURRENTLY orders;'),
    outside('5_full', 'VACUUM FULL orders;'),
    outside('6_alter', 'ALTER TABLE orders ADD note text;'),
  ])
  expect(locks).toEqual({
    '1_shop': [],
    '2_build': ['public.orders SHARE UPDATE EXCLUSIVE 2'],
    '3_drop': ['public.orders SHARE UPDATE EXCLUSIVE 2'],
    '4_again': ['public.orders SHARE UPDATE EXCLUSIVE 2'],
    '5_full': ['public.orders ACCESS EXCLUSIVE 2'],
    '6_alter': ['public.orders ACCESS EXCLUSIVE 2'],
  })
})
