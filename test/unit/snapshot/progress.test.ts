import { expect, test, vi } from 'vitest'
import { silentLog, type LogFields } from '../../../lambda/log.ts'
import { createProgress } from '../../../lambda/snapshot/progress.ts'

/** A log that keeps what it is told, and a clock that only the test moves. */
function observed() {
  const clock = vi.spyOn(performance, 'now')
  const told: LogFields[] = []
  return {
    log: { ...silentLog, info: (_message: string, fields: LogFields = {}) => void told.push(fields) },
    told,
    at: (seconds: number) => void clock.mockReturnValue(seconds * 1000),
  }
}

test('reports soon, then seldom, how much is done and how long the rest will take', () => {
  const { log, told, at } = observed()
  at(0)
  const progress = createProgress(log, 'copying', 2, 1000)
  progress.addBytes(100)
  at(2)
  progress.addBytes(300, 150)
  at(4)
  progress.addRows(7)
  progress.addBytes(100, 250)
  at(8)
  progress.finishTable()

  expect(told).toEqual([
    { tables: 0, tablesTotal: 2, rows: 0, bytes: 400, percent: 25, leftMs: 6000 },
    { tables: 1, tablesTotal: 2, rows: 7, bytes: 500, percent: 50, leftMs: 8000 },
  ])
})

test('says nothing of a rest that is not known', () => {
  const { log, told, at } = observed()
  at(0)
  const progress = createProgress(log, 'copying', 1)
  at(2)
  progress.addBytes(100)

  expect(told).toEqual([{ tables: 0, tablesTotal: 1, rows: 0, bytes: 100 }])
})
