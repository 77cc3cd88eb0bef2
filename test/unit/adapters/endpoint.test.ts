import { describe, expect, it } from 'vitest'
import { endpointFromSecret, endpointFromUrl, RDS_AUTHORITIES } from '../../../lambda/adapters/endpoint.ts'

const config = {
  kind: 'secret',
  secretArn: 'arn',
  host: null,
  port: null,
  name: null,
  tls: 'verify-full',
  certificateAuthority: null,
} as const
const secret = { username: 'u', password: 'p', host: 'h', port: 6543, name: 'd' }

describe('endpointFromSecret', () => {
  it('trusts the authorities of RDS and checks names', () => {
    expect(endpointFromSecret(config, secret)).toMatchObject({
      host: 'h',
      port: 6543,
      database: 'd',
      tls: { verify: true },
    })
    expect(RDS_AUTHORITIES.length).toBeGreaterThan(100)
  })

  it('lets the construct go before the secret', () => {
    expect(endpointFromSecret({ ...config, host: 'proxy', port: 1, name: 'x' }, secret)).toMatchObject({
      host: 'proxy',
      port: 1,
      database: 'x',
    })
  })

  it.each([
    [{ ...secret, host: null }, 'has no key "host"'],
    [{ ...secret, name: null }, 'has no key "dbname"'],
  ])('says which key is missing: %j', (incomplete, message) => {
    expect(() => endpointFromSecret(config, incomplete)).toThrow(message)
  })
})

describe('endpointFromUrl', () => {
  it('reads every part', () => {
    expect(endpointFromUrl('postgresql://u%40x:p%2Fw@h:6543/d%20b')).toEqual({
      host: 'h',
      port: 6543,
      database: 'd b',
      user: 'u@x',
      password: 'p/w',
      tls: false,
    })
  })

  it('verifies RDS hosts unless it is told otherwise', () => {
    const host = 'x.eu-central-1.rds.amazonaws.com'
    expect(endpointFromUrl(`postgres://u@${host}/d`).tls).toMatchObject({ verify: true })
    expect(endpointFromUrl(`postgres://u@${host}/d?sslmode=require`).tls).toEqual({ verify: false })
    expect(endpointFromUrl(`postgres://u@${host}/d?sslmode=disable`).tls).toBe(false)
  })

  it.each(['nonsense', 'mysql://u:canary@h/d', 'postgres://u:can%ary@h/d', 'postgres://u:canary@h/d?sslmode=maybe'])(
    'refuses %s without repeating the password',
    (url) => {
      expect(() => endpointFromUrl(url)).toThrow(/database URL/)
      expect(() => endpointFromUrl(url)).not.toThrow(/can%?ary/)
    },
  )
})
