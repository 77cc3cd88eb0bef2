import { expect, test } from 'vitest'
import { LockstepError } from '../../../lambda/errors.ts'
import { toLockstepError } from '../../../lambda/snapshot/failure.ts'
import { Fault } from '../../../lambda/snapshot/fault.ts'
import { refuseNewer } from '../../../lambda/snapshot/pg-dump.ts'

const BOUNDARY = { code: 'SNAPSHOT_FAILED', subject: 'The snapshot', state: 'Nothing happened.' } as const

const serverError = (code: string): Error => Object.assign(new Error('the server says no'), { severity: 'ERROR', code })

test('takes the remedy from where the problem is known', () => {
  const fault = new Fault('it broke.', 'Mend it.', serverError('42501'))
  expect(toLockstepError(fault, BOUNDARY).report).toEqual({
    code: 'SNAPSHOT_FAILED',
    message: 'The snapshot failed: it broke.',
    state: 'Nothing happened.',
    remedy: 'Mend it.',
    sqlState: '42501',
  })
})

test.each([
  [serverError('55P03'), 'Another session holds a lock'],
  [serverError('53200'), 'lacks disk space, memory'],
  [serverError('57P01'), 'why the connection ended'],
  [serverError('22000'), 'Correct the cause'],
  [new Error('Connection terminated unexpectedly'), 'why the connection ended'],
  ['a text', 'Correct the cause'],
])('finds a remedy for %s', (error, remedy) => {
  expect(toLockstepError(error, BOUNDARY).report.remedy).toContain(remedy)
})

test('passes an error on that is complete already', () => {
  const error = new LockstepError({ code: 'DATABASE_UNREACHABLE', message: 'm.', state: 's.', remedy: 'r.' })
  expect(toLockstepError(error, BOUNDARY)).toBe(error)
})

test('tells a cancellation from what it caused, and passes on why', () => {
  const signal = AbortSignal.abort(new Error('Ctrl-C'))
  const report = toLockstepError(new Error('socket closed'), { ...BOUNDARY, signal }).report
  expect(report.message).toBe('The snapshot was cancelled: Ctrl-C.')
  const deadline = new LockstepError({ code: 'DEADLINE_EXCEEDED', message: 'm.', state: 's.', remedy: 'r.' })
  expect(toLockstepError(new Error('x'), { ...BOUNDARY, signal: AbortSignal.abort(deadline) })).toBe(deadline)
})

test('a session that an abort has kept from opening does not hide the abort', () => {
  const error = new LockstepError({ code: 'DATABASE_UNREACHABLE', message: 'm.', state: 's.', remedy: 'r.' })
  const signal = AbortSignal.abort(new Error('Ctrl-C'))
  expect(toLockstepError(error, { ...BOUNDARY, signal }).report.message).toBe('The snapshot was cancelled: Ctrl-C.')
})

test('an error that is complete is not hidden by an abort that came after it', () => {
  const error = new LockstepError({ code: 'SNAPSHOT_FAILED', message: 'm.', state: 's.', remedy: 'r.' })
  expect(toLockstepError(error, { ...BOUNDARY, signal: AbortSignal.abort(new Error('late')) })).toBe(error)
})

test('refuses a server that is newer than the pg_dump inside', () => {
  expect(() => refuseNewer(189_999, '18.4')).not.toThrow()
  expect(() => refuseNewer(190_001, '19.1')).toThrow('the server is PostgreSQL 19.1, newer than the pg_dump 18')
})
