import { expect, test } from 'vitest'
import { renderPlan } from '../../../../cli/render/plan.ts'
import { plainStyle } from '../../../../cli/render/style.ts'
import { NO_POLICY, resolvePolicy } from '../../../../lambda/engine/policy/policy.ts'
import type { PlanResult, PlanStep } from '../../../../lambda/plan-contract.ts'

function step(id: string, segment: number, changes: Partial<PlanStep> = {}): PlanStep {
  return {
    id,
    file: `${id}.sql`,
    direction: 'up',
    kind: 'sql',
    transactional: true,
    segment,
    statements: 2,
    proof: null,
    revert: { kind: 'untried', detail: '' },
    hazards: null,
    locks: null,
    ...changes,
  }
}

const plan: PlanResult = {
  database: 'shop',
  set: 'default',
  action: 'up',
  hash: '0123456789abcdef01234567',
  current: '1_a',
  target: '5_e',
  steps: [
    step('2_b', 1, { sql: 'SELECT 1;\nSELECT 2;' }),
    step('3_c', 2, { transactional: false, statements: 1, sql: 'CREATE INDEX CONCURRENTLY ON t (a);' }),
    step('4_d', 3, { kind: 'ts', statements: 0 }),
    step('5_e', 3, { sql: 'SELECT 3 -- the last\n;' }),
  ],
  problems: [],
  warnings: [],
  snapshot: 'logical',
  policy: NO_POLICY,
}

const problem = { code: 'HISTORY_OUT_OF_ORDER', migration: '0_x', message: 'It is late.', remedy: 'Rename it.' }

test('a plan shows the steps and which of them share a transaction', () => {
  expect(renderPlan(plan, plainStyle)).toBe(`A run would apply 4 migrations on "shop", after a snapshot: 1_a -> 5_e.
Exactly this, or nothing: up --plan 0123456789abcdef01234567

#  MIGRATION  KIND  STATEMENTS  TRANSACTION  REVERT
1  2_b        sql            2  1            untried
2  3_c        sql            1  none         untried
3  4_d        ts                3            untried
4  5_e        sql            2  3            untried`)
})

test('a plan tells what its snapshot would hold, how long it takes, and why', () => {
  const estimate = {
    scope: 'affected',
    unsure: null,
    affected: [{ schema: 'shop', name: 'orders', why: 'ALTER TABLE in 2_b' }],
    tables: 4,
    omittedTables: 6,
    bytes: 1_200_000_000,
    seconds: 24,
    bytesPerSecond: 50_000_000,
    speed: 'measured',
  } as const

  expect(renderPlan({ ...plan, snapshotEstimate: estimate }, plainStyle)).toContain(`
Snapshot  affected: 4 of 10 tables, 1.2 GB on disk, about 24.0 s as fast as the last one
          shop.orders: ALTER TABLE in 2_b
`)
  const whole = { ...estimate, scope: 'database', unsure: '2_b is code', affected: null, omittedTables: 0 } as const
  const assumed = renderPlan({ ...plan, snapshotEstimate: { ...whole, speed: 'assumed' } }, plainStyle)
  expect(assumed).toContain('database: 4 tables, 1.2 GB on disk, about 24.0 s at a speed that was never measured')
  expect(assumed).toContain('all of it, because 2_b is code')
})

test('a plan shows what was found of the migrations, and what the environment demands with its sources', () => {
  const hazard = {
    id: 'table-dropped',
    severity: 'error',
    line: 2,
    relation: 'public.t',
    detail: 'drops public.t',
    safe: null,
    rules: [],
    allowed: null,
  } as const
  const size = { rows: 120_000_000, bytes: 48_000_000_000, writesPerSecond: 120 }
  const lock = { relation: 'public.t', mode: 'SHARE', line: 2, size } as const
  const steps = [
    step('2_b', 1, {
      revert: { kind: 'lossy', detail: 'the rows of t' },
      hazards: [hazard, { ...hazard, id: 'column-dropped', allowed: 'nobody reads it' }],
      locks: [lock],
    }),
    step('3_c', 1, { locks: [{ ...lock, line: 3, mode: 'ACCESS EXCLUSIVE' }] }),
  ]
  const policy = resolvePolicy([
    { source: 'environment variable', settings: { hazards: 'warn' } },
    { source: 'option', settings: { environment: 'production' } },
  ])
  const text = renderPlan({ ...plan, steps, policy, warnings: ['2_b.sql, line 2: table-dropped'] }, plainStyle)
  expect(text.split('\n\n').slice(1).join('\n\n')).toBe(`#  MIGRATION  KIND  STATEMENTS  TRANSACTION  REVERT   HAZARDS
1  2_b        sql            2  1            lossy    table-dropped
2  3_c        sql            2  1            untried  not looked at

2_b  lossy: the rows of t

LOCKED    MODE              WAIT MEANWHILE    SIZE                                   BY
public.t  ACCESS EXCLUSIVE  reads and writes  48 GB, 120,000,000 rows, 120 writes/s  3_c, line 3

environment      production (option)
hazards          warn (environment variable)
requireProof     true (preset)
requireSnapshot  true (preset)
confirmDowns     true (preset)
onDrift          warn (preset)

! 2_b.sql, line 2: table-dropped`)
})

test('a plan of nothing says so', () => {
  expect(renderPlan({ ...plan, steps: [] }, plainStyle)).toBe('There is nothing to do on "shop".')
})

test('a plan with problems says that it would be refused', () => {
  expect(renderPlan({ ...plan, steps: [], problems: [problem] }, plainStyle)).toBe(`A run on "shop" would be refused.

✗ HISTORY_OUT_OF_ORDER  0_x
  It is late.
  Remedy  Rename it.`)
})

test('a plan down to nothing names the base', () => {
  const down: PlanResult = {
    ...plan,
    action: 'down',
    target: null,
    snapshot: 'none',
    steps: [step('1_a', 1, { direction: 'down', revert: null })],
  }

  expect(renderPlan(down, plainStyle)).toContain(
    'A run would revert 1 migration on "shop", without a snapshot: 1_a -> base.',
  )
})
