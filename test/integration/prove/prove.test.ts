import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, inject, test } from 'vitest'
import { parseSeed } from '../../../cli/prove/seed.ts'
import { ANALYSIS_FILE, analysisText, readAnalysis } from '../../../lambda/engine/analysis.ts'
import { readMigrationDirectory } from '../../../lambda/engine/migration-directory.ts'
import { code, fileOf, repeatable, sql } from '../../support/engine.ts'
import { writeFiles } from '../../support/source-files.ts'
import { runCli } from '../cli/run-cli.ts'
import { proofsOf, told, USERS } from './support.ts'

describe('prove', () => {
  test('tells which downs undo their ups', async () => {
    const found = await proofsOf([
      USERS,
      sql('2', 'CREATE INDEX ON users (name); CREATE VIEW names AS SELECT name FROM users', 'DROP VIEW names'),
      sql('3', 'CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$', 'DROP FUNCTION g()'),
      sql('4', "CREATE TYPE mood AS ENUM ('a'); CREATE TABLE IF NOT EXISTS later ()", 'DROP TABLE later'),
      fileOf('5', '-- lockstep:irreversible the past is past\n-- migrate:up\nSELECT 1;'),
      sql('6', 'ALTER TABLE users ADD COLUMN z int'),
      sql('7', 'ALTER TABLE users RENAME name TO title', 'ALTER TABLE users RENAME title TO name'),
      sql('8', 'ALTER TABLE users ALTER age TYPE bigint', 'ALTER TABLE users ALTER age TYPE int'),
      sql('9', 'SELECT nothing', 'SELECT 1'),
      sql('10', 'SELECT 1', 'SELECT 1'),
    ])
    expect(told(found)).toEqual([
      '1 proven',
      '2 broken',
      '+ index CREATE INDEX users_name_idx ON public.users USING btree (name)',
      '3 broken',
      '4 broken',
      '+ type public.mood e',
      '5 irreversible',
      '6 broken',
      '7 proven',
      '8 proven',
      '9 broken',
      '10 broken',
    ])
    expect(found.proofs.map(({ detail }) => detail)).toMatchObject([
      'Up, down and up again: the schema is the same each time.',
      'The down does not restore the schema.',
      'The down fails: The down of 3.sql, line 4: function g() does not exist (SQLSTATE 42883).',
      'The down does not restore the schema, and then the up fails: 4.sql, line 2: type "mood" already exists (SQLSTATE 42710).',
      'the past is past',
      'It has no down, and does not declare "-- lockstep:irreversible <reason>".',
      {},
      {},
      'The up fails: 9.sql, line 2: column "nothing" does not exist (SQLSTATE 42703).',
      'It is not reached: the up of 9 fails.',
    ])
  })

  test('repeatables must apply twice in a row on the finished schema, and their own downs restore it', async () => {
    const found = await proofsOf([
      USERS,
      sql('2', 'ALTER TABLE users ADD COLUMN mail text', 'ALTER TABLE users DROP COLUMN mail'),
      repeatable('a_view', 'CREATE OR REPLACE VIEW mails AS SELECT mail FROM users;'),
      repeatable(
        'b_on_it',
        '-- migrate:up\nCREATE OR REPLACE VIEW more AS SELECT * FROM mails;\n-- migrate:down\nDROP VIEW more;',
      ),
      repeatable('c_once', 'CREATE VIEW once AS SELECT 1 AS one;'),
      repeatable('d_index', 'CREATE INDEX ON users (mail);'),
      repeatable('e_rows', 'INSERT INTO users (id) SELECT coalesce(max(id), 0) + 1 FROM users;'),
      repeatable('f_missing', 'SELECT nothing FROM users;'),
      repeatable('g_down', '-- migrate:up\nCREATE OR REPLACE VIEW v AS SELECT 1 AS one;\n-- migrate:down\nSELECT 1;'),
    ])
    expect(told(found)).toEqual([
      '1 proven',
      '2 proven',
      'repeatable/a_view proven',
      'repeatable/b_on_it proven',
      'repeatable/c_once broken',
      'repeatable/d_index broken',
      '+ index CREATE INDEX users_mail_idx1 ON public.users USING btree (mail)',
      'repeatable/e_rows broken',
      '+ rows of public.users: 1, and then 2',
      'repeatable/f_missing broken',
      'repeatable/g_down broken',
      '+ view public.v',
    ])
    expect(found.proofs.slice(2).map(({ detail }) => detail)).toEqual([
      'Applied twice in a row: the schema is the same. What it makes stays: it has no down.',
      'Applied twice in a row: the schema is the same.',
      'It does not apply twice in a row: repeatable/c_once.sql, line 1: relation "once" already exists (SQLSTATE 42P07).',
      'Applied twice in a row, it gives something else than once.',
      'Applied twice in a row, it gives something else than once.',
      'It fails on the finished schema: repeatable/f_missing.sql, line 1: column "nothing" does not exist (SQLSTATE 42703).',
      'Its down does not restore the schema.',
    ])
    const pending = await proofsOf([USERS, repeatable('a', 'CREATE OR REPLACE VIEW a AS SELECT id FROM users;')], {
      isWanted: (id) => id === 'repeatable/a',
    })
    expect(told(pending)).toEqual(['repeatable/a proven'])
  })

  test('calls lossy what restores the schema and not what it held', async () => {
    const found = await proofsOf([
      USERS,
      sql('2', 'ALTER TABLE users DROP COLUMN name', 'ALTER TABLE users ADD COLUMN name text'),
      sql('3', 'ALTER TABLE users DROP COLUMN age', 'ALTER TABLE users ADD COLUMN age int'),
      sql('4', 'DROP TABLE users', 'CREATE TABLE users (id int PRIMARY KEY)'),
    ])
    expect(told(found)).toEqual([
      '1 proven',
      '2 lossy',
      '- values of public.users.name: the up drops the column, and the down makes it again without them',
      '- public.users: order of columns: id, name, age',
      '+ public.users: order of columns: id, age, name',
      '3 lossy',
      '- values of public.users.age: the up drops the column, and the down makes it again without them',
      '4 lossy',
      '- rows of public.users: the up drops the table, and the down makes it again without them',
    ])
  })

  test('looks at the rows of the seed, which go in as soon as they can', async () => {
    const found = await proofsOf(
      [
        USERS,
        sql('2', 'ALTER TABLE users ADD COLUMN email text', 'ALTER TABLE users DROP COLUMN email'),
        sql('3', 'UPDATE users SET name = upper(name)', 'UPDATE users SET name = lower(name)'),
        sql('4', 'DELETE FROM users WHERE id = 2', 'SELECT 1'),
        sql(
          '5',
          'CREATE TABLE kept AS SELECT id, age FROM users; ALTER TABLE users DROP COLUMN age',
          'ALTER TABLE users ADD COLUMN age int; UPDATE users u SET age = k.age FROM kept k WHERE k.id = u.id; DROP TABLE kept',
        ),
      ],
      {
        seed: `INSERT INTO users (id, name, email, age) VALUES (2, 'Bo', 'b@x', 2), (3, 'Cy', NULL, 3);
INSERT INTO users (id, name) VALUES (1, 'ann');
-- lockstep:after 3
UPDATE users SET name = 'other' WHERE id = 1;`,
      },
    )
    expect(found.seedProblems).toEqual([])
    expect(told(found)).toEqual([
      '1 lossy',
      '- rows of public.users: the down loses all 1',
      '2 lossy',
      '- values of public.users.email: the down loses 1 of 1',
      '3 lossy',
      '- values of public.users.name: 3 before the up, others after the down',
      '4 lossy',
      '- rows of public.users: 3 before the up, 2 after the down',
      '5 lossy',
      '- public.users: order of columns: id, name, age, email',
      '+ public.users: order of columns: id, name, email, age',
    ])
  })

  test('says which rows of the seed never went in', async () => {
    const seed =
      '\nINSERT INTO users (id) VALUES (1);\nINSERT INTO nowhere VALUES (1);\n-- lockstep:after 1\nSELECT nope;'
    const { seedProblems, proofs } = await proofsOf([USERS, sql('2', 'SELECT 1', 'SELECT 1')], { seed })
    expect(seedProblems).toEqual([
      { line: 5, message: 'column "nope" does not exist' },
      { line: 3, message: 'relation "nowhere" does not exist' },
    ])
    expect(proofs.map(({ verdict }) => verdict)).toEqual(['lossy', 'proven'])
    expect(() => parseSeed('-- lockstep:after 7\nSELECT 1;', new Set(['1']))).toThrow('seed.sql, line 1')
  })

  test('takes what runs outside of a transaction, code, and new values of an enum', async () => {
    const concurrently = { transaction: false }
    const found = await proofsOf([
      USERS,
      sql('1a', 'CREATE TABLE anew (id int)', 'DROP TABLE anew', concurrently),
      sql('2', 'CREATE INDEX CONCURRENTLY i ON users (age)', 'DROP INDEX CONCURRENTLY i', concurrently),
      sql('3', 'CREATE INDEX CONCURRENTLY j ON users (age)', 'DROP INDEX CONCURRENTLY IF EXISTS k', concurrently),
      code('4', {
        up: async ({ query }) => void (await query('ALTER TABLE users ADD COLUMN code int')),
        down: async ({ query }) => void (await query('ALTER TABLE users DROP COLUMN code')),
      }),
      sql('5', "CREATE TYPE mood AS ENUM ('a'); CREATE TABLE m (mood mood)", 'DROP TABLE m; DROP TYPE mood'),
      sql(
        '6',
        "ALTER TYPE mood ADD VALUE 'b'",
        "ALTER TYPE mood RENAME TO old; CREATE TYPE mood AS ENUM ('a'); ALTER TABLE m ALTER mood TYPE mood USING mood::text::mood; DROP TYPE old",
      ),
    ])
    expect(told(found)).toEqual([
      '1 proven',
      '1a proven',
      '2 proven',
      '3 broken',
      '+ index CREATE INDEX j ON public.users USING btree (age)',
      '4 proven',
      '5 proven',
      '6 proven',
    ])
  })

  test('goes on after a down that ends its own session', async () => {
    const suicide = 'SELECT pg_terminate_backend(pg_backend_pid())'
    const found = await proofsOf([
      USERS,
      sql('2', 'CREATE TABLE t ()', suicide),
      sql('3', 'SELECT 1 FROM t', 'SELECT 1'),
    ])
    expect(told(found)).toEqual(['1 proven', '2 broken', '3 proven'])
  })

  test('proves what was asked for, on what the others make', async () => {
    const found = await proofsOf([USERS, sql('2', 'ALTER TABLE users ADD x int', 'ALTER TABLE users DROP x')], {
      isWanted: (id) => id === '2',
    })
    expect(told(found)).toEqual(['2 proven'])
  })

  test('stops where the server lacks an extension', async () => {
    const { proofs, stopped } = await proofsOf([
      USERS,
      sql('2', 'CREATE EXTENSION nope', 'SELECT 1'),
      sql('3', 'SELECT 1'),
    ])
    expect(proofs.map(({ id }) => id)).toEqual(['1'])
    expect(stopped?.report).toMatchObject({ code: 'CONFIG_INVALID', migration: '2' })
  })

  test('writes its verdicts beside the migrations, where lint keeps what it found, and fails for a broken one', async () => {
    const directory = await writeFiles({
      'm/1_a.sql': '-- migrate:up\nCREATE TABLE a (id int);\n-- migrate:down\nDROP TABLE a;\n',
      'm/2_b.sql': '-- migrate:up\nCREATE TABLE b (id int);\n-- migrate:down\nSELECT 1;\n',
    })
    const [first] = readMigrationDirectory(join(directory, 'm'))
    const known = { checksum: first?.checksum ?? '', proof: null, hazards: [], creates: ['public.a'] }
    const file = join(directory, 'm', ANALYSIS_FILE)
    await writeFile(file, analysisText({ '1_a': known, gone: known }))
    const { exitCode, document } = await runCli(
      ['prove', '--migrations', 'm', '--write', '--json', '--shadow-url', inject('serverUrl')],
      { directory },
    )
    expect(exitCode).toBe(1)
    expect(document()).toMatchObject({
      migrations: [
        { id: '1_a', verdict: 'proven', differences: [] },
        { id: '2_b', verdict: 'broken', differences: ['+ table public.b'] },
      ],
      seed: [],
      roles: [],
    })
    expect(readAnalysis(join(directory, 'm'))).toMatchObject({
      '1_a': { ...known, proof: { verdict: 'proven' } },
      '2_b': {
        proof: {
          verdict: 'broken',
          detail: expect.stringMatching(/^The down does not restore .*; differences: \+ table public\.b$/),
        },
        hazards: null,
      },
    })
  })
})
