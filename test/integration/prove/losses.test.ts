import { describe, expect, test } from 'vitest'
import { parseSeed } from '../../../cli/prove/seed.ts'
import { sql } from '../../support/engine.ts'
import { proofsOf, told, USERS } from './support.ts'

describe('prove', () => {
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

  test('calls lossy what leaves rows behind, also in a table that was empty, and large objects', async () => {
    const found = await proofsOf([
      USERS,
      sql('2', 'INSERT INTO users VALUES (1) ON CONFLICT DO NOTHING', 'SELECT 1'),
      sql('3', 'SELECT lo_create(0)', 'SELECT 1'),
      sql('4', 'SELECT lo_create(4711)', 'SELECT lo_unlink(4711)'),
    ])
    expect(told(found)).toEqual([
      '1 proven',
      '2 lossy',
      '+ rows of public.users: 0 before the up, 1 after the down',
      '3 lossy',
      '+ rows of pg_catalog.pg_largeobject: 0 before the up, 1 after the down',
      '4 proven',
    ])
    expect(found.proofs[1]?.detail).toBe('The down leaves rows behind that the up has put in.')
  })

  test('calls lossy what lets a sequence begin again', async () => {
    const identity = 'GENERATED ALWAYS AS IDENTITY'
    const found = await proofsOf(
      [
        sql('1', `CREATE TABLE t (id int ${identity}, "N" serial, a int)`, 'DROP TABLE t'),
        sql('2', 'ALTER TABLE t ALTER id DROP IDENTITY', `ALTER TABLE t ALTER id ADD ${identity}`),
        sql('2a', `ALTER TABLE t ALTER id ADD ${identity}`, 'ALTER TABLE t ALTER id DROP IDENTITY'),
        sql('2b', `SELECT setval('t_id_seq', 2)`, 'SELECT 1'),
        sql(
          '3',
          'ALTER TABLE t ALTER id DROP IDENTITY',
          `ALTER TABLE t ALTER id ADD ${identity}; SELECT setval('t_id_seq', max(id)) FROM t`,
        ),
        sql('4', 'CREATE SEQUENCE s', 'DROP SEQUENCE s'),
        sql('5', 'DROP SEQUENCE s', 'CREATE SEQUENCE s'),
        sql('6', `SELECT setval('"t_N_seq"', 1)`, 'SELECT 1'),
        sql('7', 'ALTER TABLE t DROP COLUMN "N"', 'ALTER TABLE t ADD COLUMN "N" serial'),
        sql('8', 'INSERT INTO t (id, a) VALUES (3, 3)', 'DELETE FROM t WHERE a = 3'),
      ],
      { seed: 'INSERT INTO t (a) VALUES (1), (2);' },
    )
    expect(told(found).filter((line) => line.includes('value of') || line.endsWith('proven'))).toEqual([
      '- value of public.t_id_seq: 2 before the up, none after the down',
      '2a proven',
      '2b proven',
      '3 proven',
      '4 proven',
      '- value of public.s: the up drops the sequence, and the down makes it from its start',
      '- value of public."t_N_seq": 2 before the up, 1 after the down',
      '8 proven',
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
})
