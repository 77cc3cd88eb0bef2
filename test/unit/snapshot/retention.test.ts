import { describe, expect, test } from 'vitest'
import { expired, removalOf, snapshotsAmong } from '../../../lambda/snapshot/retention.ts'
import type { RetentionRule } from '../../../lambda/snapshot/retention.ts'

const NOW = new Date('2026-11-21T08:00:00Z')

const complete = (day: string, run = 'r'): readonly string[] => [
  `shop/${day}T080000Z-${run}/data/0001-a.copy.zst`,
  `shop/${day}T080000Z-${run}/manifest.json`,
]
const incomplete = (day: string): readonly string[] => [`shop/${day}T080000Z-r/pre-data.sql`]

function expiredOf(keys: readonly string[], rule: Partial<RetentionRule>, needed: readonly string[] = []) {
  const found = expired(snapshotsAmong(keys), { keepLast: null, keepDays: null, ...rule }, new Set(needed), NOW)
  return found.map(({ prefix }) => prefix)
}

const ALL = ['20261001', '20261110', '20261115', '20261120'].flatMap((day) => complete(day))

describe('retention', () => {
  test('keeps the newest, however old they are', () => {
    expect(expiredOf(ALL, { keepLast: 2 })).toEqual(['shop/20261110T080000Z-r', 'shop/20261001T080000Z-r'])
    expect(expiredOf(ALL, { keepLast: 4 })).toEqual([])
    expect(expiredOf(complete('20200101'), { keepDays: 1 })).toEqual([])
  })

  test('keeps others for their time', () => {
    expect(expiredOf(ALL, { keepLast: 1, keepDays: 8 })).toEqual(['shop/20261110T080000Z-r', 'shop/20261001T080000Z-r'])
    expect(expiredOf(ALL, { keepLast: 3, keepDays: 8 })).toEqual(['shop/20261001T080000Z-r'])
    expect(expiredOf(ALL, { keepDays: 30 })).toEqual(['shop/20261001T080000Z-r'])
  })

  test('keeps what is needed', () => {
    expect(expiredOf(ALL, { keepLast: 2 }, ['shop/20261001T080000Z-r'])).toEqual(['shop/20261110T080000Z-r'])
  })

  test('counts only complete ones, and takes away what was left unfinished days ago', () => {
    const keys = [...complete('20261001'), ...incomplete('20261101'), ...incomplete('20261120')]

    expect(expiredOf(keys, { keepLast: 1 })).toEqual(['shop/20261101T080000Z-r'])
    expect(expiredOf(keys, { keepLast: 1, keepDays: 30 })).toEqual([])
  })

  test('leaves alone what is not of a snapshot', () => {
    const keys = ['shop/archive/20261001.js', 'shop/notes.txt', 'shop/20261001T080000Z/manifest.json', 'intents/x.json']

    expect(snapshotsAmong([...keys, ...ALL])).toHaveLength(4)
  })

  test('orders two of the same second, and removes the manifest first', () => {
    const [first, second] = snapshotsAmong([...complete('20261001', 'a'), ...complete('20261001', 'b')])

    expect([first?.prefix, second?.prefix]).toEqual(['shop/20261001T080000Z-b', 'shop/20261001T080000Z-a'])
    expect(removalOf(snapshotsAmong(complete('20261001'))[0] ?? { ...NONE })).toEqual([
      ['shop/20261001T080000Z-r/manifest.json'],
      ['shop/20261001T080000Z-r/data/0001-a.copy.zst'],
    ])
    expect(removalOf({ ...NONE, keys: incomplete('20261001') })).toHaveLength(1)
  })
})

const NONE = { prefix: 'shop/20261001T080000Z-r', takenAt: NOW, isComplete: false, keys: [] }
