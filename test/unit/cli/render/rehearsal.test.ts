import { expect, test } from 'vitest'
import type { Rehearsal, RehearsedPass, RehearsedStatement } from '../../../../cli/rehearse/rehearsal.ts'
import { renderRehearsalMarkdown } from '../../../../cli/render/rehearsal-markdown.ts'
import { renderRehearsal } from '../../../../cli/render/rehearsal.ts'
import { plainStyle } from '../../../../cli/render/style.ts'

const QUIET: RehearsedStatement = {
  line: 2,
  text: 'SELECT 1',
  durationMs: 0.2,
  estimatedMs: null,
  failed: false,
  locks: [],
  rewritten: [],
  scanned: [],
}

const REWRITE: RehearsedStatement = {
  ...QUIET,
  line: 7,
  text: 'ALTER TABLE orders ALTER total TYPE bigint',
  estimatedMs: 360_000,
  locks: [
    { relation: 'public.orders', kind: 'table', mode: 'ACCESS EXCLUSIVE' },
    { relation: 'public.orders_pkey', kind: 'index', mode: 'ACCESS EXCLUSIVE' },
    { relation: 'public.users', kind: 'table', mode: 'ACCESS SHARE' },
  ],
  rewritten: ['public.orders'],
  scanned: ['public.orders', 'public.users'],
}

function passWith(statements: readonly RehearsedStatement[]): RehearsedPass {
  return {
    pass: 'up',
    status: 'succeeded',
    reason: null,
    durationMs: 52,
    migrations: [{ id: '2_total', file: '2_total.sql', durationMs: 40, estimatedMs: 360_000, statements }],
    holds: [
      {
        relation: 'public.orders',
        mode: 'ACCESS EXCLUSIVE',
        blocks: 'reads and writes',
        heldMs: 12,
        estimatedMs: 360_012,
        migration: '2_total',
        line: 7,
        bytes: 48_000_000_000,
        rows: 120_000_000,
      },
    ],
    error: null,
  }
}

function rehearsalOf(up: RehearsedPass): Rehearsal {
  return {
    source: {
      kind: 'structure',
      database: 'shop',
      uri: null,
      at: '2026-11-21T08:30:00.000Z',
      serverVersion: '17.4',
      withoutRows: null,
    },
    scratch: { kind: 'given', database: 'lockstep_rehearsal_1', major: 17, kept: true },
    pending: ['2_total'],
    problems: [],
    warnings: [],
    passes: [up],
    comparisons: [
      { of: 'schema', between: 'before and after down', same: false, differences: ['- index `public`.x', '+ view y'] },
    ],
    notes: [],
    durationMs: 3000,
    ok: false,
  }
}

test('shows what was measured beside what is estimated, who would have waited, and what differs', () => {
  const text = renderRehearsal(rehearsalOf(passWith([QUIET, REWRITE])), plainStyle)
  expect(text.split('\n')).toEqual([
    '1 migration on the structure of "shop" (PostgreSQL 17.4, 2026-11-21 08:30:00 UTC), on the given PostgreSQL 17, kept as "lockstep_rehearsal_1"',
    '',
    '✓ up: 52 ms',
    '',
    '  FILE           STATEMENT                                    TIME      ABOUT  LOCKS AND WORK',
    '  2_total.sql:2  SELECT 1                                    <1 ms',
    '  2_total.sql:7  ALTER TABLE orders ALTER total TYPE bigint  <1 ms  6 min 0 s  ACCESS EXCLUSIVE on public.orders; rewrites public.orders; reads all of public.users',
    '',
    '  Others would have waited:',
    '',
    '  TABLE                             SIZE  WAITING           LOCK               HELD      ABOUT  SINCE',
    '  public.orders  48 GB, 120,000,000 rows  reads and writes  ACCESS EXCLUSIVE  12 ms  6 min 0 s  2_total:7',
    '',
    'MIGRATION     UP',
    '2_total    40 ms',
    'in all     52 ms',
    '',
    '✗ schema, before and after down: not the same',
    '    - index `public`.x',
    '    + view y',
    '',
    'The schema is not the same before and after down. (3.0 s in all)',
  ])
})

test('of many statements, those that do something are shown in their order', () => {
  const many = Array.from({ length: 80 }, () => QUIET)
  const text = renderRehearsal(rehearsalOf(passWith([...many, REWRITE])), plainStyle)
  expect(text.split('\n').filter((line) => line.includes('SELECT 1'))).toHaveLength(59)
  expect(text).toContain('rewrites public.orders')
  expect(text).toContain('… and 21 more (--json has all)')
})

test('nothing of a statement or a difference breaks out of the Markdown', () => {
  const statement = { ...QUIET, text: 'SELECT a | b, <i>, `c`' }
  const text = renderRehearsalMarkdown(rehearsalOf(passWith([statement])))
  expect(text).toContain(String.raw`| SELECT a \| b, \<i\>, \`c\` |`)
  expect(text).toContain('```diff\n- index `public`.x\n+ view y\n```')
  expect(text).toContain('### ❌ The schema is not the same before and after down.')
})
