import { expect, test } from 'vitest'
import { createDatabaseSql, type DatabaseProperties } from '../../../lambda/snapshot/database-properties.ts'
import { databasePropertiesSql } from '../../../lambda/snapshot/database-properties-sql.ts'
import { manualRestoreCommands } from '../../../lambda/snapshot/manual-restore.ts'

const PLAIN: DatabaseProperties = {
  name: 'shop',
  owner: 'the owner',
  encoding: 'UTF8',
  locale: { provider: 'libc', collate: 'de_DE.utf8', ctype: 'C', name: null, icuRules: null },
  connectionLimit: -1,
  comment: null,
  permissions: null,
  settings: [],
}

test('creates a database like the original on servers with and without locale providers', () => {
  const base = `CREATE DATABASE "new" WITH TEMPLATE template0 OWNER "the owner" ENCODING 'UTF8' LC_COLLATE 'de_DE.utf8' LC_CTYPE 'C'`
  expect(createDatabaseSql(PLAIN, 'new', 140_000)).toBe(base)
  expect(createDatabaseSql(PLAIN, 'new', 150_000)).toBe(`${base} LOCALE_PROVIDER libc`)
})

test('creates a database with the rules of ICU or the built-in locale', () => {
  const icu = { ...PLAIN, locale: { ...PLAIN.locale, provider: 'icu' as const, name: 'de-DE', icuRules: "&a < 'b'" } }
  expect(createDatabaseSql(icu, 'n', 180_000)).toContain(
    `LOCALE_PROVIDER icu ICU_LOCALE 'de-DE' ICU_RULES '&a < ''b'''`,
  )
  const builtin = { ...PLAIN, locale: { ...PLAIN.locale, provider: 'builtin' as const, name: 'C.UTF-8' } }
  expect(createDatabaseSql(builtin, 'n', 180_000)).toContain(`LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'`)
})

test('writes nothing for what is as it is by default', () => {
  expect(databasePropertiesSql(PLAIN, '"n"')).toEqual([])
})

test('writes lists of names as lists, and every other value as one literal', () => {
  const settings = [
    { role: null, name: 'search_path', value: '"$user", "a ""b"", c", public' },
    { role: null, name: 'Search_Path', value: '""' },
    { role: 'r', name: 'my.setting', value: `a, 'b' \\` },
    { role: null, name: 'temp_tablespaces', value: '' },
  ]
  expect(databasePropertiesSql({ ...PLAIN, settings }, '"n"')).toEqual([
    `ALTER DATABASE "n" SET "search_path" TO '$user', 'a "b", c', 'public'`,
    `ALTER DATABASE "n" SET "Search_Path" TO ''`,
    `ALTER ROLE "r" IN DATABASE "n" SET "my"."setting" TO E'a, ''b'' \\\\'`,
    `ALTER DATABASE "n" SET "temp_tablespaces" TO ''`,
  ])
})

test('grants exactly what was granted, last', () => {
  const permissions = [
    { role: null, privileges: ['CONNECT'], grantable: false },
    { role: 'r', privileges: ['CONNECT', 'CREATE'], grantable: true },
  ]
  expect(databasePropertiesSql({ ...PLAIN, comment: "it's", connectionLimit: 5, permissions }, '"n"')).toEqual([
    `COMMENT ON DATABASE "n" IS 'it''s'`,
    'ALTER DATABASE "n" CONNECTION LIMIT 5',
    'REVOKE ALL ON DATABASE "n" FROM PUBLIC',
    'REVOKE ALL ON DATABASE "n" FROM "the owner"',
    'GRANT CONNECT ON DATABASE "n" TO PUBLIC',
    'GRANT CONNECT, CREATE ON DATABASE "n" TO "r" WITH GRANT OPTION',
  ])
})

test('says how to restore by hand, quoted for a shell', () => {
  const table = {
    schema: 'public',
    name: "it's",
    columns: ['a', 'b"c'],
    filter: null,
    omitted: null,
    rows: 1,
    parts: [{ key: 'data/0001-public.it_s.copy.zst', rows: 1, slice: null }],
  }
  const commands = manualRestoreCommands(PLAIN, 140_000, [table], {
    count: 1,
    bytes: 3,
    roles: [],
    parts: [{ key: 'data/0001-large-objects.sql.zst', count: 1, bytes: 3 }],
  })
  expect(commands).toContain(
    `zstd -dc data/0001-public.it_s.copy.zst | psql -X -q -v ON_ERROR_STOP=1 -d restored -c 'COPY "public"."it'\\''s" ("a", "b""c") FROM STDIN WITH (ENCODING '\\''UTF8'\\'')'`,
  )
  expect(commands).toContain(
    'zstd -dc data/0001-large-objects.sql.zst | psql -X -q -v ON_ERROR_STOP=1 -d restored -o /dev/null -c "SET synchronous_commit TO off" -f -',
  )
  const order = ['CREATE DATABASE', 'pre-data.sql', 'zstd', 'sequences.sql', 'post-data.sql', 'ANALYZE']
  const positions = order.map((word) => commands.findIndex((command) => command.includes(word)))
  expect(positions).toEqual(positions.toSorted((a, b) => a - b))
  expect(positions).not.toContain(-1)
})
