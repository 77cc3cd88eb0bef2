import { expect, test } from 'vitest'
import type { SnapshotManifest, SnapshotPart, SnapshotTable } from '../../../lambda/snapshot/manifest.ts'
import { planTasks } from '../../../lambda/snapshot/restore-tasks.ts'

function table(name: string, ...parts: readonly SnapshotPart[]): SnapshotTable {
  const rows = parts.reduce((total, part) => total + part.rows, 0)
  return { schema: 's', name, columns: ['id'], filter: null, omitted: null, rows, parts }
}

const whole = (key: string): SnapshotPart => ({ key, rows: 1, slice: null })
const slice = (key: string, start: number): SnapshotPart => ({ key, rows: 1, slice: { start, bytes: 5 } })

function manifestOf(sizes: Readonly<Record<string, number>>): SnapshotManifest {
  const objects = Object.entries(sizes).map(([key, bytes]) => ({ key, bytes, sha256: '' }))
  return { objects } as unknown as SnapshotManifest
}

test('takes the largest object first, over all tables, and a shared one once', () => {
  const tables = [
    table('a', slice('pack', 20)),
    table('b', whole('b.1'), whole('b.2')),
    table('c', slice('pack', 0)),
    table('empty'),
  ]
  const tasks = planTasks(manifestOf({ 'b.1': 10, 'b.2': 30, pack: 20 }), tables)

  expect(tasks.map(({ object, entries }) => [object.key, entries.map((entry) => entry.table.name)])).toEqual([
    ['b.2', ['b']],
    ['pack', ['c', 'a']],
    ['b.1', ['b']],
  ])
})

test('fails on a manifest that contradicts itself', () => {
  expect(() => planTasks(manifestOf({}), [table('a', whole('gone'))])).toThrow('lists no object gone')
  expect(() => planTasks(manifestOf({ pack: 1 }), [table('a', whole('pack')), table('b', slice('pack', 0))])).toThrow(
    'gives the whole of pack to one table, and some of it to another',
  )
})
