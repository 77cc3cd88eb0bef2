import { expect, test } from 'vitest'
import { renderError, renderProblems } from '../../../../cli/render/error.ts'
import { plainStyle } from '../../../../cli/render/style.ts'

const failed = {
  code: 'MIGRATION_FAILED',
  message: '2_points.sql, line 8: column "total_amout" does not exist (SQLSTATE 42703).',
  state: 'The run was rolled back: the database is as it was before, at 1_customers.',
  remedy: 'Correct 2_points.sql and run again.',
  migration: '2_points',
  sqlState: '42703',
  file: '2_points.sql',
  line: 8,
  column: 5,
  excerpt: '7 | SELECT\n8 |     total_amout\n  |     ^',
}

test('a failed migration shows the place with a caret, the state and the remedy', () => {
  expect(renderError(failed, plainStyle, { width: 60, directory: 'migrations' })).toBe(`✗ MIGRATION_FAILED  2_points

  2_points.sql, line 8: column "total_amout" does not exist
  (SQLSTATE 42703).

  at migrations/2_points.sql:8:5
    7 | SELECT
    8 |     total_amout
      |     ^

  State   The run was rolled back: the database is as it was
          before, at 1_customers.
  Remedy  Correct 2_points.sql and run again.`)
})

test('an error without a place has none', () => {
  const report = { code: 'LOCK_HELD', message: 'Somebody runs.', state: 'Untouched.', remedy: 'Wait.' }

  expect(renderError(report, plainStyle)).toBe(`✗ LOCK_HELD

  Somebody runs.

  State   Untouched.
  Remedy  Wait.`)
})

test('the SQLSTATE is shown when the message does not have it', () => {
  expect(renderError({ ...failed, message: 'It failed.' }, plainStyle)).toContain('at 2_points.sql:8:5, SQLSTATE 42703')
})

test('problems of a plan are listed with their remedies', () => {
  const problems = [
    { code: 'MULTIPLE_HEADS', migration: null, message: 'Two heads.', remedy: 'Join them.' },
    { code: 'HISTORY_FILE_MISSING', migration: '1_a', message: 'No file.', remedy: 'Put it back.' },
  ]

  expect(renderProblems(problems, plainStyle)).toBe(`✗ MULTIPLE_HEADS
  Two heads.
  Remedy  Join them.

✗ HISTORY_FILE_MISSING  1_a
  No file.
  Remedy  Put it back.`)
})
