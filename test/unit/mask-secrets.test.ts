import { describe, expect, it } from 'vitest'
import { maskedText, maskSecrets, maskSecretsOf } from '../../lambda/mask-secrets.ts'

describe('maskSecrets', () => {
  it.each([
    ["CREATE ROLE a LOGIN PASSWORD 'canary'", "CREATE ROLE a LOGIN PASSWORD '***'"],
    [
      "alter user a with encrypted password 'ca''nary' valid until '2030-01-01'",
      "alter user a with encrypted password '***' valid until '2030-01-01'",
    ],
    [String.raw`ALTER ROLE a PASSWORD E'can\'ary' NOLOGIN`, "ALTER ROLE a PASSWORD '***' NOLOGIN"],
    ['ALTER ROLE a PASSWORD $x$canary$x$ NOLOGIN', "ALTER ROLE a PASSWORD '***' NOLOGIN"],
    ["ALTER ROLE a PASSWORD\n  'canary';\nSELECT 1", "ALTER ROLE a PASSWORD\n  '***';\nSELECT 1"],
    ["ALTER ROLE a PASSWORD 'canary\nSELECT 1", "ALTER ROLE a PASSWORD '***'\n"],
    ['ALTER ROLE a PASSWORD canary', 'ALTER ROLE a PASSWORD ***'],
    [
      "CREATE SUBSCRIPTION s CONNECTION 'host=h password=canary' PUBLICATION p",
      "CREATE SUBSCRIPTION s CONNECTION '***' PUBLICATION p",
    ],
    [
      "CREATE USER MAPPING FOR a SERVER s OPTIONS (user 'u', password 'canary')",
      "CREATE USER MAPPING FOR a SERVER s OPTIONS (user 'u', password '***')",
    ],
    [
      `ALTER USER MAPPING FOR a SERVER s OPTIONS (SET "password" 'canary')`,
      `ALTER USER MAPPING FOR a SERVER s OPTIONS (SET "password" '***')`,
    ],
    ["OPTIONS (aws_secret_access_key 'canary')", "OPTIONS (aws_secret_access_key '***')"],
    ["SELECT dblink_connect('host=h password=canary user=u')", "SELECT dblink_connect('host=h password=*** user=u')"],
    ["SELECT dblink('postgres://u:canary@h/d', 'SELECT 1')", "SELECT dblink('postgres://u:***@h/d', 'SELECT 1')"],
    ["EXECUTE 'ALTER ROLE a PASSWORD ''canary'' NOLOGIN'", "EXECUTE 'ALTER ROLE a PASSWORD '***' NOLOGIN'"],
    ["UPDATE users SET password = 'canary' WHERE id = 1", "UPDATE users SET password = '***' WHERE id = 1"],
  ])('%s', (sql, masked) => {
    expect(maskSecrets(sql)).toBe(masked)
    expect(maskSecrets(masked)).toBe(masked)
  })

  it.each([
    'CREATE TABLE users (id int, password text NOT NULL)',
    "COMMENT ON COLUMN users.password IS 'a hash'",
    'ALTER ROLE a PASSWORD NULL',
    "INSERT INTO tokens (token) VALUES ('t')",
    'UPDATE users SET password = crypt(password, gen_salt($1))',
    "Unexpected token 'export'",
    'password authentication failed for user "a"',
    'Give it as postgres://user:password@host:5432/database.',
  ])('leaves as it is: %s', (sql) => {
    expect(maskSecrets(sql)).toBe(sql)
  })
})

it('tells where a place has gone', () => {
  const text = "PASSWORD 'canary' FAILS; PASSWORD 'canary-canary' HERE"
  const { text: masked, placeOf } = maskedText(text)
  expect(['PASSWORD', 'FAILS', 'HERE'].map((word) => masked.slice(placeOf(text.indexOf(word))).split(' ')[0])).toEqual([
    'PASSWORD',
    'FAILS;',
    'HERE',
  ])
  expect(masked.slice(placeOf(text.indexOf('nary')))).toMatch(/^ FAILS/)
})

it('masks what PostgreSQL quotes of a statement', () => {
  const sql = "CREATE SUBSCRIPTION s CONNECTION 'canary-word' PUBLICATION p"
  const said = 'invalid connection string syntax: missing "=" after "canary-word"'
  expect(maskSecretsOf(sql, said)).toBe('invalid connection string syntax: missing "=" after "***"')
})
