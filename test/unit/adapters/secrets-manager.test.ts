import { describe, expect, it } from 'vitest'
import { parseDatabaseSecret } from '../../../lambda/adapters/secrets-manager.ts'
import { reportThrownBy } from '../../support/report.ts'

const canary = 'canary-password'
const secret = { engine: 'postgres', username: 'u', password: canary, host: 'h', port: 5432, dbname: 'd' }

describe('parseDatabaseSecret', () => {
  it('reads the form that RDS makes, and the short one of a managed master secret', () => {
    expect(parseDatabaseSecret('arn', JSON.stringify(secret))).toEqual({
      username: 'u',
      password: canary,
      host: 'h',
      port: 5432,
      name: 'd',
    })
    expect(parseDatabaseSecret('arn', JSON.stringify({ username: 'u', password: canary }))).toMatchObject({
      host: null,
      port: null,
      name: null,
    })
  })

  it.each([
    [undefined, 'is binary'],
    [`${canary}{`, 'is not JSON'],
    [`"${canary}"`, 'is not a JSON object'],
    [
      JSON.stringify({ ...secret, username: undefined }),
      'has no key "username" (it has: engine, password, host, port, dbname)',
    ],
    [JSON.stringify({ ...secret, password: '' }), 'has no key "password"'],
    [JSON.stringify({ ...secret, host: 5 }), 'has a key "host" that is not a text'],
    [JSON.stringify({ ...secret, port: canary }), 'has a key "port" that is no port number'],
    [JSON.stringify({ ...secret, engine: 'mysql' }), 'is for the engine "mysql"'],
  ])('says what is wrong without repeating a value: %s', async (text, message) => {
    const report = await reportThrownBy(() => parseDatabaseSecret('arn:x', text))
    expect(report.code).toBe('SECRET_UNREADABLE')
    expect(report.message).toContain(`The secret arn:x ${message}`)
    expect(JSON.stringify(report)).not.toContain(canary)
  })
})
