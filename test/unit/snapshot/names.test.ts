import { expect, test } from 'vitest'
import {
  databaseSegment,
  dataKey,
  packKey,
  datedDatabaseName,
  snapshotPrefix,
  timeStamp,
} from '../../../lambda/snapshot/names.ts'

const DATE = new Date('2026-11-21T08:30:05.999Z')

test('writes a time so that it sorts and needs no quoting', () => {
  expect(timeStamp(DATE)).toBe('20261121T083005Z')
})

test('dates the name of a database', () => {
  expect(datedDatabaseName('shop', 'restoring', DATE)).toBe('shop_restoring_20261121083005')
})

test.each(['x'.repeat(63), 'ü'.repeat(31), '🐘'.repeat(15)])('shortens %s between characters to 63 bytes', (name) => {
  const dated = datedDatabaseName(name, 'replaced', DATE)
  expect(Buffer.byteLength(dated)).toBeLessThanOrEqual(63)
  expect(Buffer.byteLength(dated)).toBeGreaterThan(59)
  expect(dated).toMatch(/^(x+|ü+|🐘+)_replaced_20261121083005$/u)
})

test.each([
  ['shop', 'shop'],
  ['Shop-1_b', 'Shop-1_b'],
  ['..', '~2e~2e'],
  ['a/b c', 'a~2fb~20c'],
  ['ü', '~c3~bc'],
  ['a~', 'a~7e'],
  // Lockstep's own folders of the same store.
  ['archive', '~61rchive'],
  ['intents', '~69ntents'],
])('gives database "%s" the folder %s', (name, segment) => {
  expect(databaseSegment(name)).toBe(segment)
})

test('makes a prefix of database, time and run', () => {
  expect(snapshotPrefix('shop', DATE, '../run 1')).toBe('shop/20261121T083005Z-___run_1')
})

test('names data objects so that they are unique and safe in a shell', () => {
  expect(dataKey(0, { schema: 'public', name: 'orders' })).toBe('data/0001-public.orders.copy.zst')
  expect(dataKey(0, { schema: 'public', name: 'orders' }, { index: 8, of: 10 })).toBe(
    'data/0001-public.orders.09.copy.zst',
  )
  expect(packKey(6)).toBe('data/0007-small-tables.sql.zst')
  expect(dataKey(12344, { schema: 'a b', name: `$(rm -rf /)'"\n` })).toBe('data/12345-a_b.__rm_-rf______.copy.zst')
  expect(dataKey(1, { schema: 's', name: 'ü'.repeat(200) }).length).toBeLessThan(130)
})
