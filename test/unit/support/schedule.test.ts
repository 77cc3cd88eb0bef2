import { describe, expect, test } from 'vitest'
import { inParallel } from '../../support/cloudformation/in-parallel.ts'
import { circular, ready, type FailureRule, type Graph, type Progress } from '../../support/cloudformation/schedule.ts'

function graphOf(edges: Readonly<Record<string, readonly string[]>>): Graph {
  return new Map(Object.entries(edges).map(([id, before]) => [id, new Set(before)]))
}

/** Two chains that meet. */
const GRAPH = graphOf({ a: [], b: ['a'], c: [], d: ['c'], e: ['b', 'd'] })

describe('what may begin', () => {
  test.each<readonly [string, Progress, readonly string[]]>([
    ['at first is all that comes after nothing', new Map(), ['a', 'c']],
    ['is not what has begun', new Map([['a', 'begun']]), ['c']],
    [
      'is what comes after what is done',
      new Map([
        ['a', 'done'],
        ['c', 'begun'],
      ]),
      ['b'],
    ],
    [
      'waits for all that comes before',
      new Map([
        ['a', 'done'],
        ['b', 'done'],
        ['c', 'done'],
        ['d', 'begun'],
      ]),
      [],
    ],
  ])('%s', (_title, progress, expected) => {
    expect(ready(GRAPH, progress, 'stop')).toEqual(expected)
  })

  test.each<readonly [FailureRule, readonly string[]]>([
    ['stop', []],
    ['spare-dependents', ['d']],
    ['go-on', ['b', 'd']],
  ])('after a failure, with the rule %s', (rule, expected) => {
    expect(
      ready(
        GRAPH,
        new Map([
          ['a', 'failed'],
          ['c', 'done'],
        ]),
        rule,
      ),
    ).toEqual(expected)
  })

  test('does not wait for what is not among the things to do', () => {
    expect(ready(graphOf({ a: ['elsewhere'] }), new Map(), 'stop')).toEqual(['a'])
  })
})

test('what waits for itself can never begin, nor what waits for that', () => {
  expect(circular(GRAPH)).toEqual([])
  expect(circular(graphOf({ a: [], b: ['c'], c: ['b'], d: ['c', 'a'] }))).toEqual(['b', 'c', 'd'])
})

/** Work of which each piece ends when it is told to. */
function piecework(): {
  readonly begun: readonly string[]
  readonly work: (id: string) => Promise<boolean>
  readonly end: (id: string, succeeded: boolean) => Promise<void>
} {
  const begun: string[] = []
  const ends = new Map<string, (succeeded: boolean) => void>()
  return {
    begun,
    work: (id) => {
      begun.push(id)
      return new Promise((resolve) => ends.set(id, resolve))
    },
    end: async (id, succeeded) => {
      ends.get(id)?.(succeeded)
      await new Promise((resolve) => setImmediate(resolve))
    },
  }
}

describe('work in parallel', () => {
  test('begins each piece as soon as what comes before is done, whatever else is in work', async () => {
    const { begun, work, end } = piecework()
    const all = inParallel(GRAPH, work, { rule: 'stop' })
    await end('a', true)
    expect(begun).toEqual(['a', 'c', 'b'])
    await end('b', true)
    await end('c', true)
    await end('d', true)
    await end('e', true)
    await all
    expect(begun).toEqual(['a', 'c', 'b', 'd', 'e'])
  })

  test('says stop at the first failure, and ends when what is in work has ended', async () => {
    const { begun, work, end } = piecework()
    const stop = new AbortController()
    let isOver = false
    const all = inParallel(GRAPH, work, { rule: 'stop', stop }).then(() => (isOver = true))
    await end('a', false)
    expect([stop.signal.aborted, isOver]).toEqual([true, false])
    await end('c', true)
    await all
    expect(begun).toEqual(['a', 'c'])
  })

  test('begins nothing more when it is stopped from outside', async () => {
    const { begun, work, end } = piecework()
    const stop = new AbortController()
    const all = inParallel(GRAPH, work, { rule: 'spare-dependents', stop })
    stop.abort()
    await end('a', true)
    await end('c', true)
    await all
    expect(begun).toEqual(['a', 'c'])
  })
})
