import { expect, test } from 'vitest'
import { mergeJobs } from '../../../lambda/snapshot/merge-jobs.ts'
import type { Job } from '../../../lambda/snapshot/post-data-plan.ts'

const SETTINGS: readonly string[] = []
const light = (sql: string, ...after: readonly number[]): Job => ({ sql, after, settings: SETTINGS, weight: 10 })
const heavy = (sql: string, ...after: readonly number[]): Job => ({ ...light(sql, ...after), weight: 10_000_000 })

test('puts light jobs together that wait for equally many others, and leaves heavy ones alone', () => {
  const groups = mergeJobs([
    light('a'),
    heavy('B'),
    light('c'),
    light('a1', 0),
    light('c1', 2),
    light('b1', 1),
    heavy('A2', 3),
  ])

  expect(groups.map(({ statements, after }) => [statements, after])).toEqual([
    [['a', 'c'], []],
    [['B'], []],
    [['a1', 'c1'], [0]],
    [['b1'], [1]],
    [['A2'], [2]],
  ])
  expect(groups[0]?.weight).toBe(20)
})

test('keeps apart what has other settings, and cuts off at twenty-five', () => {
  const other = { ...light('x'), settings: ['SET default_tablespace = fast'] }
  const groups = mergeJobs([...Array.from({ length: 30 }, (_, index) => light(String(index))), other])

  expect(groups.map(({ statements }) => statements.length)).toEqual([25, 5, 1])
})

test('waits for all groups that hold what its members wait for', () => {
  const first = Array.from({ length: 50 }, (_, index) => light(String(index)))
  const groups = mergeJobs([...first, light('x', 3), light('y', 40)])

  expect(groups.at(-1)).toMatchObject({ statements: ['x', 'y'], after: [0, 1] })
})
