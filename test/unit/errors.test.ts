import { describe, expect, it } from 'vitest'
import { ConnectionLostError } from '../../lambda/engine/database.ts'
import { LockstepError, messageOf, reportOf, shortSentenceOf } from '../../lambda/errors.ts'

const report = {
  code: 'MIGRATION_FAILED',
  message: 'It failed.',
  state: 'All is as before.',
  remedy: 'Mend it.',
} as const

describe('shortSentenceOf', () => {
  it('is one paragraph', () => {
    expect(shortSentenceOf(report)).toBe('MIGRATION_FAILED: It failed. All is as before. Mend it.')
  })

  it('cuts the message, not the state and the remedy, to the limit in bytes', () => {
    const short = shortSentenceOf({ ...report, message: 'é'.repeat(5000) })
    expect(Buffer.byteLength(short)).toBeLessThanOrEqual(1000)
    expect(short).toMatch(/^MIGRATION_FAILED: é+… All is as before\. Mend it\.$/)
  })

  it('stays within the limit even when state and remedy are too long', () => {
    const short = shortSentenceOf({ ...report, state: '😀'.repeat(2000) })
    expect(Buffer.byteLength(short)).toBeLessThanOrEqual(1000)
    expect(short).not.toContain('\uFFFD')
  })
})

describe('reportOf', () => {
  it('gives the report of a LockstepError, and calls everything else internal', () => {
    expect(reportOf(new LockstepError(report))).toEqual(report)
    expect(reportOf(new Error('oh'))).toMatchObject({ code: 'INTERNAL', message: expect.stringContaining('oh') })
  })

  it('says of a connection that was lost what becomes of the rest', () => {
    expect(reportOf(new ConnectionLostError('gone'))).toMatchObject({
      code: 'DATABASE_UNREACHABLE',
      message: 'The connection to the database was lost: gone.',
      state: expect.stringContaining('undone by the server'),
    })
  })

  it('names the parts of an error without a message of its own', () => {
    expect(messageOf(new AggregateError([new Error('a'), new Error('b')]))).toBe('a; b')
  })
})
