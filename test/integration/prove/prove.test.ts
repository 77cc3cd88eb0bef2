import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, inject, test } from 'vitest'
import { ANALYSIS_FILE, analysisText, readAnalysis } from '../../../lambda/engine/analysis.ts'
import { readMigrationDirectory } from '../../../lambda/engine/migration-directory.ts'
import { code, fileOf, sql } from '../../support/engine.ts'
import { writeFiles } from '../../support/source-files.ts'
import { runCli } from '../cli/run-cli.ts'
import { proofsOf, told, USERS } from './support.ts'

describe('prove', () => {
  test('what an up overwrites, deletes or narrows is lossy where there were no rows to see it', async () => {
    const rows = [
      sql('2', "UPDATE users SET name = 'x' WHERE age > 3", 'SELECT 1'),
      sql('3', 'WITH gone AS (DELETE FROM public.users RETURNING id) SELECT count(*) FROM gone', 'SELECT 1'),
      sql('4', 'ALTER TABLE users ALTER age TYPE smallint', 'ALTER TABLE users ALTER age TYPE int'),
      sql(
        '5',
        'ALTER TABLE users ALTER age TYPE text',
        'ALTER TABLE users ALTER age TYPE smallint USING age::smallint',
      ),
      sql('6', 'ALTER TABLE users ADD z int; UPDATE users SET z = 1', 'ALTER TABLE users DROP z'),
      sql('7', 'TRUNCATE users', 'SELECT 1'),
    ]
    expect(told(await proofsOf([USERS, ...rows]))).toEqual([
      '1 proven',
      '2 lossy',
      '- values of public.users.name: the up overwrites them, and none were there to be brought back',
      '3 lossy',
      '- rows of public.users: the up deletes some, and none were there to be brought back',
      '4 lossy',
      '- values of public.users.age: the up converts integer to smallint, and none were there to be brought back',
      '5 proven',
      '6 proven',
      '7 lossy',
      '- rows of public.users: the up deletes some, and none were there to be brought back',
    ])
    const seed = 'INSERT INTO users VALUES (1, NULL, 1), (2, NULL, 2)'
    expect(told(await proofsOf([USERS, ...rows.slice(0, 1)], { seed }))).toEqual([
      '1 lossy',
      '- rows of public.users: the down loses all 2',
      '2 proven',
    ])
  })

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
        proof: { verdict: 'broken', detail: expect.stringMatching(/^The down does not restore the schema/) },
        hazards: null,
      },
    })
  })
})
