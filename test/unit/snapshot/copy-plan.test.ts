import { expect, test } from 'vitest'
import { planCopies, type CopyTask, type SizedTable } from '../../../lambda/snapshot/copy-plan.ts'

const MEBIBYTE = 1024 * 1024

/** A table of this size; unless told otherwise a heap of 8 KiB pages with nothing out of line. */
function table(name: string, mebibytes: number, more: Partial<SizedTable> = {}): SizedTable {
  const bytes = mebibytes * MEBIBYTE
  const known = { oid: name, schema: 's', name, columns: ['a'], filter: null, readable: true }
  return { ...known, isHeap: true, pages: Math.ceil(bytes / 8192), bytes, ...more }
}

/** Their page ranges, whose first begins at 0 and whose last has no end. */
function rangesOf(tasks: readonly CopyTask[], name: string): readonly (readonly [number, number | null])[] {
  return tasks.flatMap((task) =>
    task.kind === 'table' && task.table.name === name && task.range !== null
      ? [[task.range.from, task.range.to] as const]
      : [],
  )
}

function packsOf(tasks: readonly CopyTask[]): readonly (readonly string[])[] {
  return tasks.flatMap((task) => (task.kind === 'pack' ? [task.tables.map(({ name }) => name)] : []))
}

test('cuts a large table into adjoining ranges, of which the last has no end', () => {
  const ranges = rangesOf(planCopies([table('large', 1000)], 2), 'large')

  expect(ranges.length).toBe(8)
  expect(ranges[0]?.[0]).toBe(0)
  expect(ranges.at(-1)?.[1]).toBeNull()
  expect(ranges.slice(1).map(([from]) => from)).toEqual(ranges.slice(0, -1).map(([, to]) => to))
})

test('cuts a table with few pages and many values out of line, at most into its pages', () => {
  expect(rangesOf(planCopies([table('wide', 1000, { pages: 3 })], 4), 'wide')).toEqual([
    [0, 1],
    [1, 2],
    [2, null],
  ])
  expect(planCopies([table('wide', 1000, { pages: 1 })], 4)).toMatchObject([{ range: null, part: { index: 0, of: 1 } }])
})

test.each([
  ['has a filter', { filter: 'WHERE own' }],
  ['is not kept by the heap access method', { isHeap: false, pages: 0 }],
  ['has no columns of its own', { columns: [] }],
])('does not cut a table that %s', (_what, more) => {
  expect(planCopies([table('large', 1000, more)], 4)).toMatchObject([{ kind: 'table', range: null }])
})

test('puts the largest task first', () => {
  const sizes = planCopies([table('a', 10), table('b', 300), table('c', 1), table('d', 90)], 4).map(
    ({ bytes }) => bytes,
  )
  expect(sizes).toEqual(sizes.toSorted((a, b) => b - a))
})

test('packs small tables in their order into packs that all workers share', () => {
  const names = Array.from({ length: 2000 }, (_, index) => `t${index}`)
  const packs = packsOf(
    planCopies(
      names.map((name) => table(name, 1 / 128)),
      4,
    ),
  )

  expect(packs.length).toBe(4)
  expect(packs.flat().toSorted()).toEqual(names.toSorted())
})

test('bounds a pack by bytes and by the number of its tables', () => {
  const heavy = Array.from({ length: 40 }, (_, index) => table(`h${index}`, 4))
  const tiny = Array.from({ length: 3000 }, (_, index) => table(`t${index}`, 0, { pages: 1 }))

  for (const task of planCopies(heavy, 2)) expect(task.bytes).toBeLessThan(17 * MEBIBYTE)
  for (const names of packsOf(planCopies(tiny, 1))) expect(names.length).toBeLessThanOrEqual(500)
})

test('has no task for a heap without pages, and one for a table whose size says nothing', () => {
  expect(planCopies([table('empty', 0)], 4)).toEqual([])
  expect(planCopies([table('other', 0, { isHeap: false })], 4)).toMatchObject([{ kind: 'table', range: null }])
})
