import { describe, expect, test } from 'vitest'
import { migrateUp } from '../../../lambda/engine/run/migrate.ts'
import { createDatabase } from '../../support/database.ts'
import { engineFor, fileOf, sql } from '../../support/engine.ts'
import { reportThrownBy } from '../../support/report.ts'

const USERS = sql(
  '1',
  "CREATE TABLE users (id int, email text); INSERT INTO users VALUES (1, 'a'), (2, NULL)",
  'SELECT 1',
)
const STRICT = fileOf(
  '2',
  `-- migrate:require
SELECT NOT EXISTS (SELECT FROM users WHERE email IS NULL);
-- migrate:up
ALTER TABLE users ALTER COLUMN email SET NOT NULL;
-- migrate:down
ALTER TABLE users ALTER COLUMN email DROP NOT NULL;
`,
)

describe('what a migration requires', () => {
  test('is asked before the snapshot and the first write, of every pending migration', async () => {
    const database = await createDatabase()
    const engine = engineFor(database)
    await migrateUp(engine, { migrations: [USERS] })
    const runs = await database.rows('SELECT * FROM lockstep.runs')
    let snapshots = 0
    const takeSnapshot = async (): Promise<string | null> => {
      snapshots += 1
      return null
    }
    const other = fileOf('3', '-- migrate:require\nVALUES (true, false);\n-- migrate:up\nSELECT 1;')
    const report = await reportThrownBy(() => migrateUp(engine, { migrations: [USERS, STRICT, other], takeSnapshot }))
    expect(report).toMatchObject({
      code: 'REQUIREMENT_NOT_MET',
      message:
        '2.sql, line 2: what the migration requires of the database is not so: the query gave false, and not true. (and 1 more: 3)',
      state: 'The database has not been touched.',
      migration: '2',
      line: 2,
    })
    expect(snapshots).toBe(0)
    expect(await database.rows('SELECT * FROM lockstep.runs')).toEqual(runs)
    await database.rows("UPDATE users SET email = 'b' WHERE id = 2")
    expect(await migrateUp(engine, { migrations: [USERS, STRICT] })).toMatchObject({ applied: ['2'] })
  })

  test('is asked right before the migration where an earlier one of the run makes what it is about', async () => {
    const database = await createDatabase()
    const run = await migrateUp(engineFor(database), { migrations: [USERS, STRICT] })
    expect(run).toMatchObject({
      status: 'failed',
      rolledBack: true,
      error: { code: 'REQUIREMENT_NOT_MET', migration: '2', line: 2 },
    })
    const mended = sql('1', "CREATE TABLE users (id int, email text); INSERT INTO users VALUES (1, 'a')")
    expect(await migrateUp(engineFor(database), { migrations: [mended, STRICT] })).toMatchObject({
      applied: ['1', '2'],
    })
  })

  test.each([
    ['SELECT email IS NULL FROM users WHERE false', 'REQUIREMENT_NOT_MET', 'the query gave no row'],
    ['SELECT email FROM users', 'REQUIREMENT_NOT_MET', 'the query gave another value'],
    ['SELECT 7', 'REQUIREMENT_NOT_MET', 'the query gave 7'],
    ['SELECT nothing FROM users', 'MIGRATION_FAILED', 'column "nothing" does not exist'],
    ["SELECT set_config('a.b', 'c', false) = 'c', nextval('counter') > 0", 'MIGRATION_FAILED', 'read-only transaction'],
  ])('fails for %s', async (query, code, message) => {
    const database = await createDatabase()
    const engine = engineFor(database)
    const first = sql(
      '1',
      "CREATE TABLE users (email text); INSERT INTO users VALUES ('secret'); CREATE SEQUENCE counter",
    )
    await migrateUp(engine, { migrations: [first] })
    const asking = fileOf('2', `-- migrate:require\n${query};\n-- migrate:up\nSELECT 1;`)
    const report = await reportThrownBy(() => migrateUp(engine, { migrations: [first, asking] }))
    expect(report).toMatchObject({ code, message: expect.stringContaining(message) })
    expect(JSON.stringify(report)).not.toContain('secret')
  })
})

const counting = (rows: number): string => `-- migrate:up transaction:false
CREATE TABLE t (id int);
-- migrate:verify
SELECT count(*) = ${rows} FROM t;
-- migrate:down
DROP TABLE t;`

describe('what a migration verifies', () => {
  test('is asked in its transaction, and false takes all of it back', async () => {
    const database = await createDatabase()
    const wrong = fileOf(
      '1',
      '-- migrate:up\nCREATE TABLE t (id int); INSERT INTO t VALUES (1);\n-- migrate:verify\nSELECT true FROM t;\nSELECT count(*) = 2 FROM t;',
    )
    expect(await migrateUp(engineFor(database), { migrations: [wrong] })).toMatchObject({
      status: 'failed',
      rolledBack: true,
      error: {
        code: 'MIGRATION_FAILED',
        line: 5,
        message:
          '1.sql, line 5: after the up, the database is not what the migration verifies: the query gave false, and not true.',
      },
    })
    expect(await database.rows(`SELECT to_regclass('t') AS t`)).toEqual([{ t: null }])
  })

  test('is asked again by the next run outside of a transaction', async () => {
    const database = await createDatabase()
    const engine = engineFor(database)
    expect(await migrateUp(engine, { migrations: [fileOf('1', counting(1))] })).toMatchObject({
      status: 'failed',
      error: { code: 'MIGRATION_FAILED', line: 4 },
    })
    expect(await migrateUp(engine, { migrations: [fileOf('1', counting(0))] })).toMatchObject({ applied: ['1'] })
  })
})
