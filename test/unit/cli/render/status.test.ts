import { expect, test } from 'vitest'
import { renderHistory } from '../../../../cli/render/history.ts'
import { renderStatus } from '../../../../cli/render/status.ts'
import { plainStyle } from '../../../../cli/render/style.ts'
import type { HistoryEntry, HistoryResult, StatusResult } from '../../../../lambda/contract.ts'

const status: StatusResult = {
  database: 'shop',
  set: 'default',
  current: '2_b',
  head: '3_c',
  heads: ['3_c'],
  repeatables: [],
  pending: ['3_c'],
  applied: 2,
  ahead: [],
  upToDate: false,
  problems: [],
  lastRun: null,
}

function entry(id: string, position: number): HistoryEntry {
  return {
    id,
    kind: 'sql',
    checksum: 'c',
    position,
    appliedAt: '2026-11-21T08:41:03.000Z',
    durationMs: 12 * position,
    runId: 'a35d2b4f-60bc-4982-80fb-21b33619547e',
    appliedBy: 'ada@laptop',
    lockstepVersion: '0.1.0',
  }
}

const history: HistoryResult = {
  database: 'shop',
  set: 'default',
  migrations: [entry('1_a', 1), entry('2_b', 2)],
  runs: [
    {
      runId: 'a35d2b4f-60bc-4982-80fb-21b33619547e',
      action: 'up',
      trigger: 'cli',
      status: 'succeeded',
      startedAt: '2026-11-21T08:41:03.000Z',
      finishedAt: '2026-11-21T08:41:04.500Z',
      error: null,
    },
  ],
}

const failedRun = {
  runId: '00000000-0000-0000-0000-000000000001',
  action: 'up',
  trigger: 'deployment',
  status: 'failed',
  startedAt: '2026-11-21T09:00:00.000Z',
  finishedAt: null,
  error: { code: 'MIGRATION_FAILED', message: 'm', state: 's', remedy: 'r' },
} as const

test('status shows every migration with its state, when, and how long', () => {
  expect(renderStatus(status, history, plainStyle)).toBe(`Database  shop
Current   2_b
Head      3_c
State     1 pending, 2 applied

MIGRATION  STATE    APPLIED (UTC)         TIME
1_a        applied  2026-11-21 08:41:03  12 ms
2_b        applied  2026-11-21 08:41:03  24 ms
3_c        pending`)
})

test('status of an empty database', () => {
  const empty = { ...status, current: null, head: null, heads: [], pending: [], applied: 0, upToDate: true }

  expect(renderStatus(empty, { ...history, migrations: [] }, plainStyle)).toBe(`Database  shop
Current   none
Head      none
State     up to date, 0 applied`)
})

test('status tells of several heads, of what is ahead, of problems, and of a run that failed', () => {
  const troubled: StatusResult = {
    ...status,
    set: 'billing',
    head: null,
    heads: ['3_c', '3_d'],
    ahead: ['2_b'],
    problems: [{ code: 'MULTIPLE_HEADS', migration: null, message: 'Two heads.', remedy: 'Join them.' }],
    lastRun: failedRun,
  }

  expect(renderStatus(troubled, history, plainStyle)).toBe(`Database  shop, set billing
Current   2_b
Heads     3_c, 3_d
State     1 pending, 1 ahead of the files, 1 problem, 2 applied
Last run  failed 2026-11-21 09:00:00 UTC, up by deployment: MIGRATION_FAILED

MIGRATION  STATE    APPLIED (UTC)         TIME
1_a        applied  2026-11-21 08:41:03  12 ms
2_b        ahead    2026-11-21 08:41:03  24 ms
3_c        pending

✗ MULTIPLE_HEADS
  Two heads.
  Remedy  Join them.`)
})

test('history shows the migrations and the runs', () => {
  const both = { ...history, runs: [...history.runs, failedRun] }

  expect(renderHistory(both, plainStyle)).toBe(`#  MIGRATION  KIND  APPLIED (UTC)         TIME  BY          RUN
1  1_a        sql   2026-11-21 08:41:03  12 ms  ada@laptop  3619547e
2  2_b        sql   2026-11-21 08:41:03  24 ms  ada@laptop  3619547e

RUN       ACTION  BY          STARTED (UTC)         TOOK  STATUS
3619547e  up      cli         2026-11-21 08:41:03  1.5 s  succeeded
00000001  up      deployment  2026-11-21 09:00:00         failed (MIGRATION_FAILED)`)
})

test('history of an empty database', () => {
  expect(renderHistory({ ...history, migrations: [], runs: [] }, plainStyle)).toBe(
    'Nothing has been applied to "shop".',
  )
})
