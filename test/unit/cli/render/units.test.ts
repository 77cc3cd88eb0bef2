import { expect, test } from 'vitest'
import { count, formatBytes, formatDuration, formatTime } from '../../../../cli/render/units.ts'

test.each([
  [0.4, '<1 ms'],
  [1, '1 ms'],
  [999.4, '999 ms'],
  [999.6, '1.0 s'],
  [59_949, '59.9 s'],
  [59_950, '1 min 0 s'],
  [250_000, '4 min 10 s'],
  [3_599_600, '1 h 0 min'],
  [3_780_000, '1 h 3 min'],
])('%d milliseconds are %s', (milliseconds, text) => {
  expect(formatDuration(milliseconds)).toBe(text)
})

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.0 kB'],
  [9949, '9.9 kB'],
  [9950, '10 kB'],
  [999_499, '999 kB'],
  [999_500, '1.0 MB'],
  [911_000_000, '911 MB'],
  [1.25e15, '1250 TB'],
])('%d bytes are %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text)
})

test('times are in UTC', () => {
  expect(formatTime('2026-11-21T09:41:03.123+01:00')).toBe('2026-11-21 08:41:03')
  expect(formatTime('unknown')).toBe('unknown')
})

test('one is singular', () => {
  expect([count(0, 'row'), count(1, 'row'), count(1200, 'row')]).toEqual(['0 rows', '1 row', '1,200 rows'])
})
