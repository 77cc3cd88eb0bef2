import { expect, test } from 'vitest'
import { plan } from '../../../lambda/engine/inspect.ts'
import { migrateUp } from '../../../lambda/engine/run/migrate.ts'
import type { Migration } from '../../../lambda/engine/migration/migration.ts'
import { createDatabase } from '../../support/database.ts'
import { engineFor, fileOf, sql } from '../../support/engine.ts'
import { reportThrownBy } from '../../support/report.ts'

const a = sql('1_a', 'CREATE TABLE a (id int);', 'DROP TABLE a;')
const b = sql('2_b', 'CREATE TABLE b (id int);', 'DROP TABLE b;')
const c = sql('3_c', 'CREATE TABLE c (id int);', 'DROP TABLE c;')
const branch = fileOf('3_c', '-- lockstep:after 1_a\n-- migrate:up\nCREATE TABLE c (id int);')

test.each<readonly [string, readonly Migration[], string, RegExp]>([
  [
    'a changed checksum',
    [sql('1_a', 'CREATE TABLE other (id int);'), b, c],
    'HISTORY_CHECKSUM_CHANGED',
    /1_a\.sql was changed/,
  ],
  ['a deleted file', [b, c], 'HISTORY_FILE_MISSING', /1_a was applied on .*, but its file is not there/],
  ['a newer database', [a], 'HISTORY_FILE_MISSING', /2_b is applied, but without a file/],
  ['two heads', [a, b, branch], 'MULTIPLE_HEADS', /2 heads: 2_b, 3_c/],
  [
    'a file that comes too late',
    [a, sql('1_b', 'SELECT 1;'), b],
    'HISTORY_OUT_OF_ORDER',
    /1_b is not applied, but 2_b/,
  ],
  [
    'a syntax error',
    [a, b, sql('3_c', 'CREATE TABEL c (id int);')],
    'MIGRATION_INVALID',
    /3_c\.sql, line 2: syntax error at or near "TABEL"/,
  ],
])('up refuses %s before it touches anything', async (_what, migrations, code, message) => {
  const database = await createDatabase()
  const engine = engineFor(database)
  await migrateUp(engine, { migrations: [a, b] })
  const report = await reportThrownBy(() => migrateUp(engine, { migrations }))
  expect(report).toMatchObject({
    code,
    message: expect.stringMatching(message),
    state: 'The database has not been touched.',
  })
  expect(report.remedy).not.toBe('')
  expect(
    await database.rows("SELECT to_regclass('c') AS c, (SELECT count(*)::int FROM lockstep.runs) AS runs"),
  ).toEqual([{ c: null, runs: 1 }])
})

test('the planned SQL runs as it is printed, also behind a comment', async () => {
  const database = await createDatabase()
  const commented = sql('1_c', 'CREATE TABLE c (id int) -- ends here;\n')
  const result = await plan(engineFor(database), {
    migrations: [commented, sql('2_d', 'SELECT 1')],
    sql: true,
    snapshot: 'none',
  })
  const script = result.steps.map((step) => step.sql).join('\n')
  await database.rows(script)
  expect(await database.rows("SELECT to_regclass('c')::text AS c")).toEqual([{ c: 'c' }])
})
