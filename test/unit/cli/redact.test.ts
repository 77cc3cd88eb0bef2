import { describe, expect, test } from 'vitest'
import { redactDocument, redactorFor } from '../../../cli/redact.ts'

describe('messages', () => {
  test.each([
    ['postgres://u:canary@h/d', 'at postgres://u:canary@h/d', 'at postgres://u:***@h/d'],
    ['postgres://u:canary@h/d', 'it said "canary"', 'it said "***"'],
    ['postgres://u:can%40ary@h/d', 'can@ary and can%40ary', '*** and ***'],
    [
      '--database-url=postgres://u:can/ary@h/d',
      "unknown option '--x=postgres://u:can/ary@h/d'",
      "unknown option '--x=postgres://u:***@h/d'",
    ],
    ['postgres://u:can ary@h/d', 'postgres://u:can ary@h/d', 'postgres://u:***@h/d'],
  ])('know the password of %s', (value, text, redacted) => {
    expect(redactorFor([value]).message(text)).toBe(redacted)
  })

  test('hide credentials in any URL', () => {
    const { message } = redactorFor([undefined, 'up'])

    expect(message('https://a:b@c and postgres://h/d?password=x&y=z')).toBe(
      'https://a:***@c and postgres://h/d?password=***&y=z',
    )
  })

  test('leave words alone that are also a name in the URL, or short', () => {
    expect(redactorFor(['postgres://shop:shop@h/d']).message('role "shop"')).toBe('role "shop"')
    expect(redactorFor(['postgres://u:a@h/d']).message('a table')).toBe('a table')
  })

  test('leave the form of a URL in a remedy readable', () => {
    const remedy = 'Give postgres://user:password@host:5432/database.'

    expect(redactorFor([]).message(remedy)).toBe(remedy)
  })
})

describe('documents', () => {
  test('are exact but for errors', () => {
    const redactor = redactorFor(['postgres://u:customers@h/d'])
    const document = { applied: ['1_customers'], rows: 3, none: null, error: { message: 'customers', line: 2 } }

    expect(redactDocument(document, redactor)).toEqual({ ...document, error: { message: '***', line: 2 } })
  })

  test('hold no credentials anywhere', () => {
    const redactor = redactorFor(['postgres://u:canary@h/d'])

    expect(redactDocument(['postgres://u:canary@h/d'], redactor)).toEqual(['postgres://u:***@h/d'])
  })
})
