import { expect, test } from 'vitest'
import { chooseTables } from '../../../lambda/snapshot/chosen-tables.ts'
import type { SnapshotSelection } from '../../../lambda/snapshot/scope.ts'

const TABLES = [
  { oid: '1', schema: 'shop', name: 'orders' },
  { oid: '2', schema: 'shop', name: 'events_2025' },
  { oid: '3', schema: 'archive', name: 'events_2024' },
  { oid: '4', schema: 'lockstep', name: 'migrations' },
  { oid: '5', schema: 'audit', name: 'log' },
]
const EVENTS = [{ schema: 'shop', name: 'events' }]
const ANCESTORS = new Map([
  ['2', EVENTS],
  ['3', EVENTS],
])

function choose(selection: Partial<SnapshotSelection>) {
  const whole = { scope: { kind: 'database' }, exclude: [], historySchema: 'lockstep' } as const
  const { tables, unmatched } = chooseTables(TABLES, ANCESTORS, { ...whole, ...selection })
  const named = (why: string | null) => tables.filter(({ omitted }) => omitted === why).map(({ table }) => table.name)
  return { copied: named(null), scope: named('scope'), excluded: named('excluded'), unmatched }
}

test('the whole database is every table', () => {
  expect(choose({})).toEqual({ copied: TABLES.map(({ name }) => name), scope: [], excluded: [], unmatched: [] })
})

test('schemas bring the partitions of their tables along, and never leave out the history', () => {
  expect(choose({ scope: { kind: 'schemas', schemas: ['shop', 'shopp'] } })).toEqual({
    copied: ['orders', 'events_2025', 'events_2024', 'migrations'],
    scope: ['log'],
    excluded: [],
    unmatched: ['shopp'],
  })
})

test('an excluded parent leaves out its partitions; a pattern without a table is told', () => {
  expect(choose({ exclude: ['shop.events', 'audit.*', 'audit.logs', 'lockstep.*', '*.orderz'] })).toEqual({
    copied: ['orders', 'migrations'],
    scope: [],
    excluded: ['events_2025', 'events_2024', 'log'],
    unmatched: ['audit.logs', 'lockstep.*', '*.orderz'],
  })
})

test('what is affected is copied, with the partitions of what is named, unless it is excluded', () => {
  const scope = {
    kind: 'affected',
    tables: [
      { schema: 'shop', name: 'events', why: 'ALTER TABLE' },
      { schema: 'audit', name: 'log', why: 'DELETE' },
    ],
  } as const
  expect(choose({ scope, exclude: ['audit.log', 'shop.orders'] })).toEqual({
    copied: ['events_2025', 'events_2024', 'migrations'],
    scope: [],
    excluded: ['orders', 'log'],
    unmatched: [],
  })
})
