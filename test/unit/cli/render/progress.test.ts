import { expect, test } from 'vitest'
import { progressLog } from '../../../../cli/render/progress.ts'
import { plainStyle } from '../../../../cli/render/style.ts'

test('one line per event: time since the start, what, which migration, and the facts', () => {
  const lines: string[] = []
  let now = 1000
  const log = progressLog({ write: (line) => lines.push(line), style: plainStyle, now: () => now })

  now = 1214
  log.info('applied', { migration: '1_a', durationMs: 12 })
  log.info('8 products have a slug', { migration: '2_b' })
  now = 13_000
  log.info('copying', { tables: 3, bytes: 1_200_000, indexes: ['a', 'b'], replaced: null })
  log.info('copying', { tables: 3, tablesTotal: 40, rows: 1234, bytes: 5e6, percent: 12, leftMs: 61_000 })
  log.warn('first\nsecond')
  log.error('the run failed')

  expect(lines).toEqual([
    '   0.21s  applied 1_a (12 ms)\n',
    '   0.21s  2_b: 8 products have a slug\n',
    '  12.00s  copying (tables 3, 1.2 MB, indexes a b)\n',
    '  12.00s  copying (3 of 40 tables, 1,234 rows, 5.0 MB, 12 %, 1 min 1 s left)\n',
    '  12.00s  ! first\n          second\n',
    '  12.00s  ✗ the run failed\n',
  ])
})
