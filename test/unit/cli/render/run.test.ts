import { expect, test } from 'vitest'
import { renderRun } from '../../../../cli/render/run.ts'
import { renderRestore, renderSnapshot, renderSnapshots, renderVerify } from '../../../../cli/render/snapshots.ts'
import { plainStyle } from '../../../../cli/render/style.ts'
import type { RunResult } from '../../../../lambda/contract.ts'

const run: RunResult = {
  status: 'succeeded',
  action: 'up',
  database: 'shop',
  set: 'default',
  runId: 'run-1',
  applied: ['1_a', '2_b'],
  reverted: [],
  current: '2_b',
  snapshot: 'file:///snapshots/shop/1',
  migrations: [
    { id: '1_a', direction: 'up', durationMs: 12, statements: 3 },
    { id: '2_b', direction: 'up', durationMs: 0, statements: 1 },
  ],
  durationMs: 1520,
  warnings: ['the database was slow'],
}

test('a run shows each migration with its time, and where the database stands', () => {
  expect(renderRun(run, plainStyle)).toBe(`Applied 2 migrations on "shop" in 1.5 s.

MIGRATION  DONE     STATEMENTS   TIME
1_a        applied           3  12 ms
2_b        applied           1  <1 ms

! the database was slow

Current   2_b
Snapshot  file:///snapshots/shop/1
Run       run-1`)
})

test('times are left out where the progress has just shown them', () => {
  expect(renderRun(run, plainStyle, { timings: false })).not.toContain('STATEMENTS')
})

test('a run with nothing to do says where the database is', () => {
  const nothing = { ...run, runId: null, applied: [], migrations: [], snapshot: null, warnings: [] }

  expect(renderRun(nothing, plainStyle)).toBe('Nothing to do: "shop" is at 2_b.')
})

test('a revert counts what it reverted', () => {
  const down: RunResult = { ...run, action: 'down', applied: [], reverted: ['2_b'], migrations: [], warnings: [] }

  expect(renderRun({ ...down, current: null, snapshot: null }, plainStyle)).toBe(
    'Reverted 1 migration on "shop" in 1.5 s.\n\nCurrent  none\nRun      run-1',
  )
})

const error = { code: 'MIGRATION_FAILED', message: 'It failed.', state: 'Before.', remedy: 'Correct it.' }

test('a failed run that was rolled back says so first', () => {
  const failed: RunResult = { ...run, status: 'failed', applied: [], warnings: [], rolledBack: true, error }

  expect(renderRun(failed, plainStyle))
    .toBe(`The migration of "shop" failed after 1.5 s. Rolled back: the database is as it was before.

✗ MIGRATION_FAILED

  It failed.

  State   Before.
  Remedy  Correct it.

Current   2_b
Snapshot  file:///snapshots/shop/1
Run       run-1`)
})

test('a failed run that left something names it', () => {
  const failed: RunResult = { ...run, status: 'failed', applied: ['1_a'], rolledBack: false, error }

  expect(renderRun(failed, plainStyle)).toContain('Still applied  1_a')
})

test('a snapshot and a restore are one line and a place', () => {
  const size = { bytes: 20_480, tables: 7, omittedTables: 0, rows: 1 }
  const snapshot = { uri: 'file:///s/shop/1', database: 'shop', ...size, durationMs: 410 }

  expect(renderSnapshot(snapshot, plainStyle)).toBe(
    'Snapshot of "shop" taken in 410 ms: 7 tables, 1 row, 20 kB.\nfile:///s/shop/1',
  )
  expect(renderSnapshot({ ...snapshot, omittedTables: 2 }, plainStyle)).toContain('7 tables (2 others without rows), ')
  const restore = { database: 'shop', tables: 7, rows: 34, replaced: 'shop_replaced_1', warnings: [], durationMs: 2000 }
  expect(renderRestore(restore, plainStyle)).toBe(
    'Restored "shop" in 2.0 s: 7 tables, 34 rows.\nReplaced database  kept as "shop_replaced_1"',
  )
  expect(renderRestore({ ...restore, replaced: null }, plainStyle)).toBe('Restored "shop" in 2.0 s: 7 tables, 34 rows.')
})

test('a restore tells where tables went, and what is not as it was', () => {
  const copies = [{ table: 'public.a', restoredAs: 'side.a', rows: 1 }]
  const restore = { database: 'shop', tables: 1, rows: 1, replaced: null, copies, warnings: ['No.'], durationMs: 2000 }
  expect(renderRestore(restore, plainStyle)).toBe(
    'Restored tables beside the originals in "shop" in 2.0 s: 1 table, 1 row.\npublic.a  side.a, 1 row\n! No.',
  )
})

test('a verified snapshot is one line, a damaged one names each object', () => {
  const totals = { uri: 's3://b/shop/1', database: 'shop', objects: 4, bytes: 20_480, tables: 7, rows: 34 }
  expect(renderVerify({ ...totals, status: 'intact', problems: [], durationMs: 410 }, plainStyle)).toBe(
    's3://b/shop/1 is intact: 4 objects, 7 tables, 34 rows, 20 kB, read in 410 ms.',
  )
  const problems = [{ object: 'data/1', message: 'is missing' }]
  expect(renderVerify({ ...totals, status: 'damaged', problems, durationMs: 410 }, plainStyle)).toBe(
    '✗ s3://b/shop/1 is damaged (1 problem):\n  data/1: is missing',
  )
})

test('what snapshots that were cut off have left is listed beside the complete ones', () => {
  const incomplete = [{ uri: 's3://b/shop/2', begunAt: '2026-11-21T08:41:03.000Z', objects: 3 }]
  expect(renderSnapshots([], incomplete, plainStyle)).toBe(
    'There are no snapshots.\n\n1 snapshot being taken or cut off (removed by a snapshot after a day):\n  s3://b/shop/2 (3 objects)',
  )
})

test('snapshots are listed with sizes for people', () => {
  const listing = {
    uri: 's3://b/shop/1',
    database: 'shop',
    createdAt: '2026-11-21T08:41:03.000Z',
    bytes: 186_000_000,
    tables: 7,
    omittedTables: 0,
    rows: 12_345,
  }

  expect(renderSnapshots([listing], [], plainStyle)).toBe(`TAKEN (UTC)          DATABASE  TABLES    ROWS    SIZE  URI
2026-11-21 08:41:03  shop           7  12,345  186 MB  s3://b/shop/1`)
  expect(renderSnapshots([{ ...listing, omittedTables: 3 }], [], plainStyle)).toContain('  7 of 10  ')
  expect(renderSnapshots([], [], plainStyle)).toBe('There are no snapshots.')
})
