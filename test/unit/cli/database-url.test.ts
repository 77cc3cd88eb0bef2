import { describe, expect, test } from 'vitest'
import { checkDatabaseUrl } from '../../../cli/database-url.ts'

describe('checkDatabaseUrl', () => {
  test.each([
    'postgres://user:password@host:5432/database',
    'postgresql://host/database',
    'postgres://user:p%40ss%2Fword@host/database?sslmode=require',
    'postgres://user@[::1]:5432/database',
    'postgres://user:p@ss@host/database',
  ])('accepts %s', (url) => {
    expect(() => checkDatabaseUrl(url)).not.toThrow()
  })

  test.each([
    ['', 'is empty'],
    ['host=h password=canary', 'is not a URL'],
    ['mysql://u:canary@h/d', 'has the scheme "mysql"'],
    ['postgres://u:canary/rest@h/d', 'cannot be read: its host or its port is not valid'],
    ['postgres://u:12/canary@h/d', 'has an "@" behind the host'],
    ['postgres://u:12#canary@h/d', 'has an "@" behind the host'],
    ['postgres://u:canary%zz@h/d', 'has a "%" that begins no percent-encoding'],
  ])('refuses %j without repeating it', (url, problem) => {
    const error = errorOf(() => checkDatabaseUrl(url))

    expect(error).toMatchObject({ report: { code: 'CONFIG_INVALID' }, message: expect.stringContaining(problem) })
    expect(JSON.stringify(error)).not.toContain('canary')
  })
})

function errorOf(work: () => void): unknown {
  try {
    work()
    return null
  } catch (error) {
    return error
  }
}
