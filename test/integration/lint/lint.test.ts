import { describe, expect, inject, test } from 'vitest'
import { lintMigrations, type LintReport } from '../../../cli/lint/lint.ts'
import { weighByStatistics } from '../../../cli/lint/live.ts'
import { buildGraph } from '../../../lambda/engine/plan/migration-graph.ts'
import type { Migration } from '../../../lambda/engine/migration/migration.ts'
import { code, repeatable, sql } from '../../support/engine.ts'

const shop = sql(
  '1_shop',
  `CREATE TABLE orders (id bigint PRIMARY KEY, total int, at timestamp);
CREATE TABLE parts (id bigint) PARTITION BY RANGE (id);
CREATE TABLE parts_default PARTITION OF parts DEFAULT;`,
)

function lint(migrations: readonly Migration[], options: Partial<Parameters<typeof lintMigrations>[1]> = {}) {
  return lintMigrations(buildGraph(migrations), { pending: null, shadowUrl: inject('serverUrl'), ...options })
}

/** `id: relation` of what Lockstep itself found. */
function foundIn(report: LintReport, id: string): readonly string[] {
  const linted = report.linted.find(({ migration }) => migration.id === id)
  return (linted?.hazards ?? [])
    .filter((hazard) => !hazard.id.startsWith('squawk:'))
    .map((hazard) => `${hazard.id}: ${hazard.relation}`)
}

describe('what only observation sees', () => {
  test('DO, code, and timestamps outside of UTC rewrite tables; a new partition scans the default one', async () => {
    const migrations = [
      shop,
      sql('2_do', `DO $$ BEGIN EXECUTE 'ALTER TABLE orders ALTER total TYPE ' || 'bigint'; END $$;`),
      code('3_code', { up: async ({ query }) => void (await query('ALTER TABLE orders ALTER total TYPE numeric')) }),
      sql('4_zone', 'ALTER TABLE orders ALTER at TYPE timestamptz;'),
      sql('5_part', 'CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (1) TO (9);'),
    ]
    const report = await lint(migrations, { timeZone: 'Europe/Berlin' })
    expect(foundIn(report, '2_do')).toEqual(['rewrite-table: public.orders'])
    expect(foundIn(report, '3_code')).toEqual(['rewrite-column-type: public.orders'])
    expect(foundIn(report, '4_zone')).toEqual(['rewrite-column-type: public.orders'])
    expect(foundIn(report, '5_part')).toEqual([
      'partition-attached: public.parts_default',
      'partition-created: public.parts',
    ])
    const inUtc = await lint(migrations, { timeZone: 'UTC', only: '4_zone' })
    expect(foundIn(inUtc, '4_zone')).toEqual([])
  })

  test('code that empties a table or writes its rows, and code that rows decide on', async () => {
    const report = await lint([
      shop,
      sql(
        '2_functions',
        `CREATE FUNCTION tidy(what text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE what || ' orders'; END $$;`,
      ),
      sql('3_empties', `SELECT tidy('TRUNC' || 'ATE');`),
      sql('4_deletes', `SELECT tidy('DELETE FROM');`),
      sql(
        '5_returns',
        'DO $$ BEGIN IF NOT EXISTS (SELECT FROM orders) THEN RETURN; END IF; DROP TABLE orders; END $$;',
      ),
      sql(
        '6_counts',
        'DO $$ DECLARE n int; BEGIN n := (SELECT count(*) FROM orders); IF n > 1 THEN DROP TABLE orders; END IF; END $$;',
      ),
      sql(
        '7_loops',
        `DO $$ DECLARE o record; BEGIN FOR o IN SELECT * FROM orders LOOP
        UPDATE orders SET total = 1 WHERE id = o.id; END LOOP; END $$;`,
      ),
      sql(
        '9_commits',
        `CREATE PROCEDURE fill() LANGUAGE plpgsql AS $$ BEGIN UPDATE orders SET total = 1; COMMIT; END $$;
        CALL fill();`,
        undefined,
        { transaction: false },
      ),
      sql(
        '8_idiom',
        `DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_type WHERE typname = 'mood') THEN
        CREATE TYPE mood AS ENUM ('sad'); END IF; END $$;`,
      ),
    ])
    expect(foundIn(report, '3_empties')).toEqual(['table-truncated: public.orders'])
    expect(foundIn(report, '4_deletes')).toEqual(['rows-changed-by-code: public.orders'])
    expect(foundIn(report, '5_returns')).toEqual(['code-not-seen: null'])
    expect(foundIn(report, '6_counts')).toEqual(['code-not-seen: null'])
    expect(foundIn(report, '7_loops')).toEqual(['rows-changed-by-code: null'])
    expect(foundIn(report, '8_idiom')).toEqual([])
    expect(foundIn(report, '9_commits')).toEqual(['rows-changed-by-code: null'])
  })

  test('a WHERE that every row satisfies is none, and what a migration writes into its own column is not missed', async () => {
    const report = await lint([
      shop,
      sql('2_true', 'DELETE FROM orders WHERE true AND 1 = 1;'),
      sql('3_not', 'UPDATE orders SET total = 0 WHERE NOT (false OR 2 = 1);'),
      sql('4_merge', 'MERGE INTO orders USING parts p ON p.id = orders.id WHEN MATCHED THEN DELETE;'),
      sql(
        '5_own',
        'ALTER TABLE orders ADD COLUMN tax int;\nCOMMIT;\nUPDATE orders SET tax = 0 WHERE tax IS NULL;',
        undefined,
        { transaction: false },
      ),
      sql('6_null', 'DELETE FROM orders WHERE NULL = NULL;'),
    ])
    expect(foundIn(report, '2_true')).toEqual(['delete-without-where: public.orders'])
    expect(foundIn(report, '3_not')).toEqual(['data-updated: public.orders'])
    expect(foundIn(report, '4_merge')).toEqual(['data-deleted: public.orders'])
    expect(foundIn(report, '5_own')).not.toContain('data-updated: public.orders')
    expect(foundIn(report, '6_null')).toEqual(['data-deleted: public.orders'])
  })

  test('what takes the place of a table is not new, or nobody would look at the one that goes', async () => {
    const swap = `CREATE TABLE orders_2 (id bigint PRIMARY KEY); ALTER TABLE orders RENAME TO orders_1;
      ALTER TABLE orders_2 RENAME TO orders; DROP TABLE orders_1;`
    const report = await lint([shop, sql('2_swap', swap)])
    expect(foundIn(report, '2_swap')).toContain('table-dropped: public.orders_1')
    expect(report.linted[1]?.creates).toEqual([])
  })

  test('each table that one statement rewrites or empties counts, and a primary key scans for NULL', async () => {
    const report = await lint([
      shop,
      sql('1_sums', 'CREATE TABLE sums (n int)'),
      sql('2_do', `DO $$ BEGIN TRUNCATE orders; ALTER TABLE sums ALTER n TYPE bigint; END $$;`),
      sql('3_full', 'VACUUM FULL orders, sums;', undefined, { transaction: false }),
      sql(
        '4_index',
        'ALTER TABLE orders DROP CONSTRAINT orders_pkey, ALTER id DROP NOT NULL; CREATE UNIQUE INDEX i ON orders (id);',
      ),
      sql('5_key', 'ALTER TABLE orders ADD PRIMARY KEY USING INDEX i;'),
    ])
    expect(foundIn(report, '2_do')).toEqual(['rewrite-table: public.sums', 'table-truncated: public.orders'])
    expect(foundIn(report, '3_full')).toEqual(['rewrite-table: public.orders', 'rewrite-table: public.sums'])
    expect(foundIn(report, '5_key')).toEqual(['set-not-null-scans: public.orders'])
  })

  test('what the same run makes is exempt, in one migration or in all that are pending', async () => {
    const index = sql('2_index', 'CREATE INDEX ON orders (total); ALTER TABLE orders ALTER total SET NOT NULL;')
    const alone = await lint([shop, index])
    expect(foundIn(alone, '1_shop')).toEqual(['table-without-primary-key: public.parts'])
    expect(foundIn(alone, '2_index')).toContain('index-not-concurrent: public.orders')
    const together = await lint([shop, index], { pending: new Set(['1_shop', '2_index']) })
    expect(foundIn(together, '2_index')).toEqual([])
    const onTop = await lint([shop, index], { pending: new Set(['2_index']) })
    expect(foundIn(onTop, '2_index')).toContain('set-not-null-scans: public.orders')
  })

  test('repeatables are looked at when they are applied again, on what is there', async () => {
    const migrations = [
      shop,
      repeatable('a_view', 'DROP VIEW IF EXISTS big CASCADE;\nCREATE VIEW big AS SELECT id FROM orders;'),
      repeatable('b_index', 'CREATE INDEX IF NOT EXISTS orders_total ON orders (total);'),
      repeatable('c_rewrite', 'DROP INDEX IF EXISTS orders_at;\nCREATE INDEX orders_at ON orders (at);'),
      repeatable('d_once', 'CREATE TABLE once (id int PRIMARY KEY);'),
      repeatable('e_on_top', 'CREATE OR REPLACE VIEW top AS SELECT id FROM big;'),
    ]
    const report = await lint(migrations)
    expect(foundIn(report, 'repeatable/a_view')).toEqual(['drop-cascades: public.big', 'view-dropped: public.top'])
    expect(foundIn(report, 'repeatable/b_index')).toEqual([])
    expect(foundIn(report, 'repeatable/c_rewrite')).toContain('index-not-concurrent: public.orders')
    expect(foundIn(report, 'repeatable/d_once')).toEqual(['not-observed: null'])
    // What the run makes itself is nobody else's yet.
    const pending = await lint(migrations, { pending: new Set(['1_shop', 'repeatable/c_rewrite']) })
    expect(pending.linted.map(({ migration }) => migration.id)).toEqual(['1_shop', 'repeatable/c_rewrite'])
    expect(foundIn(pending, 'repeatable/c_rewrite')).not.toContain('index-not-concurrent: public.orders')
  })

  test('a statement that does not end is ended, whatever timeout the file sets, and is a finding', async () => {
    const endless = sql('2_endless', 'SET statement_timeout = 0;\nSELECT pg_sleep(600);')
    const report = await lint([shop, endless, sql('3_after', 'DROP TABLE orders;')], { statementTimeoutMs: 1000 })
    const hazard = report.linted[1]?.hazards.find(({ id }) => id === 'not-observed')
    expect(hazard).toMatchObject({ severity: 'error', line: 3 })
    expect(hazard?.detail).toContain('it ran for longer than 1 s and was ended (--statement-timeout)')
    expect(foundIn(report, '3_after')).toContain('table-dropped: public.orders')
  })

  test('what comes before those that are looked at may fail, and is noted', async () => {
    const migrations = [
      shop,
      sql('2_extension', 'CREATE EXTENSION no_such_extension;'),
      sql('3_drop', 'DROP TABLE parts;'),
    ]
    const report = await lint(migrations, { only: '3_drop' })
    expect(report.notes).toEqual([
      expect.stringContaining('2_extension.sql, which comes before, fails where it was tried: Give --shadow-url'),
    ])
    expect(foundIn(report, '3_drop')).toEqual(['table-dropped: public.parts'])
  })

  test('a migration that fails is a finding, and what comes after it is looked at all the same', async () => {
    const report = await lint([
      shop,
      sql('2_wrong', 'ALTER TABLE orders ADD COLUMN a int; ALTER TABLE nowhere ADD COLUMN a int;'),
      sql('3_own', 'BEGIN; ALTER TABLE orders ADD COLUMN b int; COMMIT; DROP TABLE parts;'),
      sql('4_drop', 'ALTER TABLE orders DROP COLUMN b;'),
    ])
    expect(foundIn(report, '2_wrong')).toEqual(['not-observed: null'])
    expect(foundIn(report, '3_own')).toEqual(['not-observed: null', 'table-dropped: public.parts'])
    expect(foundIn(report, '4_drop')).toEqual(['column-dropped: public.orders'])
  })
})

test('the safe SQL quotes names where they must be, and an index that only includes a column is none of the key', async () => {
  const { linted } = await lint([
    sql(
      '1_posts',
      `CREATE TABLE "User" (id int, "a b" int, PRIMARY KEY (id, "a b"));
CREATE TABLE "Post" (id int PRIMARY KEY, "userId" int, "order" int);
CREATE INDEX ON "Post" ("userId") INCLUDE ("order");
ALTER TABLE "Post" ADD FOREIGN KEY ("userId", "order") REFERENCES "User";`,
    ),
    sql('2_rename', 'ALTER TABLE "Post" RENAME TO "Article"'),
    // CONCURRENTLY can do neither.
    sql(
      '3_parts',
      'CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE d PARTITION OF p DEFAULT',
    ),
    sql('4_build', 'CREATE INDEX a ON p (id)'),
    sql('5_one', 'CREATE INDEX b ON d (id)'),
    sql('6_drop', 'DROP INDEX b, "Post_userId_order_idx"'),
  ])
  const safe = linted.flatMap(({ hazards }) => hazards.flatMap((hazard) => hazard.safe ?? []))
  expect(safe).toEqual([
    '-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY ON public."Post" ("userId", "order");',
    '-- in the same migration:\nCREATE VIEW public."Post" AS SELECT * FROM public."Article";',
    '-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY b ON d (id);',
  ])
})

test("squawk's rules stand beside the hazards, and nothing that it says is left out", async () => {
  const { linted, notes } = await lint([
    shop,
    sql(
      '2_all',
      'CREATE INDEX ON orders (total);\nALTER TABLE orders ALTER total TYPE bigint;\nDROP DATABASE other;',
      undefined,
      {
        transaction: false,
      },
    ),
    sql('3_safe', 'ALTER TABLE orders ADD COLUMN note varchar(20);'),
  ])
  expect(notes).toEqual([])
  const ofAll = linted[1]?.hazards ?? []
  const rules = (id: string): readonly string[] => ofAll.find((hazard) => hazard.id === id)?.rules ?? []
  expect(rules('index-not-concurrent')).toContain('squawk:require-concurrent-index-creation')
  expect(rules('rewrite-column-type')).toContain('squawk:changing-column-type')
  expect(ofAll.find(({ id }) => id === 'squawk:ban-drop-database')?.severity).toBe('error')
  const ofSafe = (linted[2]?.hazards ?? []).map(({ id, severity }) => `${severity} ${id}`)
  expect(ofSafe).toContain('warning squawk:prefer-text-field')
  expect(ofSafe).toContain('notice squawk:require-lock-timeout')
})

const statisticsOf = (rows: number, serverVersion: number) => {
  const relations = { 'public.orders': { rows, bytes: rows * 400, writesPerSecond: 120 } }
  return { version: 1, database: 'shop', serverVersion, timeZone: 'UTC', relations } as const
}

test('hazards are weighed by statistics, and PostgreSQL 14.0 to 14.3 corrupts what it builds CONCURRENTLY', async () => {
  const { linted } = await lint([
    shop,
    sql('2_type', 'ALTER TABLE orders ALTER total TYPE bigint;'),
    sql('3_index', 'CREATE INDEX CONCURRENTLY ON orders (total);', undefined, { transaction: false }),
  ])
  const own = (rows: number, version: number) =>
    weighByStatistics(linted, statisticsOf(rows, version)).map(({ hazards }) =>
      hazards
        .filter(({ id }) => !id.startsWith('squawk:'))
        .map(({ id, severity, detail }) => ({ id, severity, detail })),
    )
  expect(own(120_000_000, 180_000)[1]).toEqual([
    {
      id: 'rewrite-column-type',
      severity: 'critical',
      detail:
        'rewrites public.orders and 1 index under ACCESS EXCLUSIVE; public.orders has 48 GB, 120,000,000 rows, 120 writes/s: about 13 min',
    },
  ])
  expect(own(9_999, 140_003)[1]?.map(({ severity }) => severity)).toEqual(['notice'])
  expect(own(9_999, 140_003)[2]?.map(({ id }) => id)).toEqual(['concurrent-index-corruption'])
  expect(own(9_999, 140_004)[2]).toEqual([])
})
