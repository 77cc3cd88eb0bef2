import { expect, test } from 'vitest'
import { forServer } from '../../../lambda/snapshot/pg-dump-compatibility.ts'

const HEADER = 'SET lock_timeout = 0;\nSET transaction_timeout = 0;\nSET client_encoding = 1;\n'
const IN_A_BODY = "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS '\nSET transaction_timeout = 0;\n    LOGGED\n';\n"

test.each([
  [180_004, HEADER],
  [170_000, HEADER],
  [169_999, 'SET lock_timeout = 0;\nSET client_encoding = 1;\n'],
])('sets for a server of version %i what it has', (version, header) => {
  expect(forServer(HEADER + IN_A_BODY, version)).toBe(header + IN_A_BODY)
})

const subscription = (options: string): string =>
  `CREATE SUBSCRIPTION s CONNECTION 'x, run_as_owner = true' PUBLICATION p WITH (connect = false, slot_name = 's'${options});\n`

test.each([
  [160_000, ', run_as_owner = true, origin = any', ', run_as_owner = true, origin = any'],
  [159_999, ', run_as_owner = true, origin = any', ', origin = any'],
  [159_999, ', run_as_owner = true', ''],
])('gives a subscription of version %i the options it has', (version, options, expected) => {
  expect(forServer(subscription(options), version)).toBe(subscription(expected))
})

const identity = (logged: string): string =>
  `ALTER TABLE t ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (\n    SEQUENCE NAME s\n${logged}    START WITH 1\n);\n`

test.each([
  [150_000, '    LOGGED\n'],
  [149_999, ''],
])('says whether the sequence of an unlogged table is logged where version %i can tell', (version, logged) => {
  expect(forServer(HEADER + identity('    LOGGED\n'), version)).toContain(identity(logged))
})

const statement = (options: string): string => `ALTER TABLE ONLY public.t ALTER COLUMN "a b" SET (${options});\n`

test("leaves out the number of its own that a server keeps among a column's options", () => {
  const dump = `${statement('pg_attver=346179752')}${statement('pg_attver=12, n_distinct=4')}${statement('n_distinct=5')}`
  expect(forServer(dump, 180_000)).toBe(`${statement('n_distinct=4')}${statement('n_distinct=5')}`)
})
