import { expect, test } from 'vitest'
import type { AnalysisEntry, Hazard, Proof } from '../../../lambda/analysis-contract.ts'
import { plan } from '../../../lambda/engine/inspect.ts'
import { migrateUp } from '../../../lambda/engine/run/migrate.ts'
import type { Migration } from '../../../lambda/engine/migration/migration.ts'
import { resolvePolicy } from '../../../lambda/engine/policy/policy.ts'
import type { PlanResult } from '../../../lambda/plan-contract.ts'
import { createDatabase, type TestDatabase } from '../../support/database.ts'
import { engineFor, fileOf, repeatable, sql } from '../../support/engine.ts'

const create = sql('1_create', 'CREATE TABLE t (id int PRIMARY KEY, a int);', 'DROP TABLE t;')
const down = '-- migrate:down\nSELECT 1;\n'
const file = (id: string, directive: string, rest = down): Migration =>
  fileOf(id, `${directive}-- migrate:up\nALTER TABLE t ALTER a SET NOT NULL;\n${rest}`)

const scan: Hazard = {
  id: 'set-not-null-scans',
  severity: 'error',
  line: 2,
  relation: 'public.t',
  detail: 'scans public.t',
  safe: null,
  rules: [],
}

function entryOf({ checksum }: Migration, found: Partial<AnalysisEntry> = {}): AnalysisEntry {
  return { checksum, proof: null, hazards: [], creates: [], ...found }
}

function planned(
  database: TestDatabase,
  migrations: readonly Migration[],
  analysis: Readonly<Record<string, AnalysisEntry>>,
  more = {},
): Promise<PlanResult> {
  const gate = { policy: resolvePolicy([]), analysis }
  return plan(engineFor(database), { migrations, sql: false, snapshot: 'none', gate, ...more })
}

test('a plan shows what would be locked of what exists, with its size, and weighs hazards by it', async () => {
  const database = await createDatabase()
  const scans = file('2_scans', '')
  const accepted = file('3_accepted', '-- lockstep:allow set-not-null-scans the table is small\n')
  const locks = [
    { relation: 'public.made_before_in_the_same_run', mode: 'ACCESS EXCLUSIVE', line: 2 },
    { relation: 'public.t', mode: 'ACCESS EXCLUSIVE', line: 2 },
    { relation: 'public.t_by_its_new_name', mode: 'SHARE', line: 3 },
  ] as const
  const elsewhere = { ...scan, relation: 'public.made_before_in_the_same_run' }
  const migrations = [create, scans, accepted]
  const analysis = {
    '2_scans': entryOf(scans, { hazards: [scan, elsewhere], locks, creates: [elsewhere.relation] }),
    '3_accepted': entryOf(accepted, { hazards: [scan], locks: null }),
  }
  // Nothing is there yet: nobody waits for anything.
  expect((await planned(database, migrations, analysis)).steps.map(({ hazards, locks }) => [hazards, locks])).toEqual([
    [null, null],
    [[], []],
    [[], null],
  ])
  await migrateUp(engineFor(database), { migrations: [create] })
  await database.rows(`INSERT INTO t SELECT n, n FROM generate_series(1, 100) n; ANALYZE t;
    UPDATE pg_class SET reltuples = 20000000 WHERE relname = 't'`)
  const { steps, hash } = await planned(database, migrations, analysis)
  expect(steps[0]).toMatchObject({
    id: '2_scans',
    file: '2_scans.sql',
    hazards: [
      {
        id: 'set-not-null-scans',
        severity: 'critical',
        allowed: null,
        detail: expect.stringContaining('20,000,000 rows'),
      },
    ],
    locks: [
      { relation: 'public.t', mode: 'ACCESS EXCLUSIVE', line: 2, size: { rows: 20_000_000 } },
      { relation: 'public.t_by_its_new_name', mode: 'SHARE', line: 3, size: null },
    ],
  })
  expect(steps[1]).toMatchObject({ hazards: [{ allowed: 'the table is small' }], locks: null })
  // What is known of the migrations, and how large tables are, does not decide what runs.
  expect((await planned(database, migrations, {})).hash).toBe(hash)
})

const proof = (verdict: Proof['verdict'], detail = ''): Proof => ({ verdict, detail })

test('a plan says of each step what undoing it would be', async () => {
  const database = await createDatabase()
  const files = {
    '2_proven': proof('proven'),
    '3_lossy': proof('lossy', 'the rows of t'),
    '4_broken': proof('broken', 'the down fails'),
    '5_untried': null,
  }
  const tried = Object.keys(files).map((id) => file(id, ''))
  const migrations = [
    create,
    ...tried,
    file('6_never', '-- lockstep:irreversible mails were sent\n', ''),
    file('7_none', '', ''),
    repeatable('views', 'CREATE OR REPLACE VIEW v AS SELECT 1 AS one;'),
  ]
  const analysis = Object.fromEntries(
    tried.map((each) => [each.id, entryOf(each, { proof: files[each.id as keyof typeof files] })]),
  )
  const { steps } = await planned(database, migrations, analysis)
  expect(steps.map(({ revert }) => [revert?.kind, revert?.detail])).toEqual([
    ['untried', ''],
    ['proven', ''],
    ['lossy', 'the rows of t'],
    ['broken', 'the down fails'],
    ['untried', ''],
    ['irreversible', 'mails were sent'],
    ['none', ''],
    ['none', 'what it makes stays'],
  ])
  await migrateUp(engineFor(database), { migrations: [create, ...migrations.slice(-1)] })
  const other = repeatable('views', 'CREATE OR REPLACE VIEW v AS SELECT 1 AS one, 2 AS two;')
  const next = await planned(database, [create, other], {})
  expect(next.steps[0]?.revert).toEqual({ kind: 'untried', detail: 'the text before is put back' })
  const back = await planned(database, [create, other], {}, { down: { kind: 'base' } })
  expect(back.steps.map(({ revert, locks, hazards }) => [revert, locks, hazards])).toEqual([
    [null, null, null],
    [null, null, null],
  ])
})
