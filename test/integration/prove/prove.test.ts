import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, inject, test } from 'vitest'
import { ANALYSIS_FILE, analysisText, readAnalysis } from '../../../lambda/engine/policy/analysis.ts'
import type { Migration } from '../../../lambda/engine/migration/migration.ts'
import { readMigrationDirectory } from '../../../lambda/engine/migration/migration-directory.ts'
import { code, fileOf, repeatable, sql } from '../../support/engine.ts'
import { writeFiles } from '../../support/source-files.ts'
import { runCli } from '../cli/run-cli.ts'
import { proofsOf, told, USERS } from './support.ts'

function mixed(id: string, up: string, down: string): Migration {
  return fileOf(id, `-- migrate:up${up}\nSELECT 1;\n-- migrate:down${down}\nSELECT 2;`)
}

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

  test('takes an up outside of a transaction whose down is within one, and the reverse', async () => {
    const found = await proofsOf([mixed('1', ' transaction:false', ''), mixed('2', '', ' transaction:false')])
    expect(found.proofs).toMatchObject([{ verdict: 'proven' }, { verdict: 'proven' }])
  })

  test('takes what runs outside of a transaction, code, and new values of an enum', async () => {
    const concurrently = { transaction: false }
    const found = await proofsOf([
      USERS,
      sql('1a', 'CREATE TABLE anew (id int); PREPARE q AS SELECT 1', 'DROP TABLE anew', concurrently),
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
