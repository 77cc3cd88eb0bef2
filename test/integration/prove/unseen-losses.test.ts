import { expect, test } from 'vitest'
import { sql } from '../../support/engine.ts'
import { proofsOf, told, USERS } from './support.ts'

test('what an up overwrites, deletes or narrows is lossy where there were no rows to see it', async () => {
  const rows = [
    sql('2', "UPDATE users SET name = 'x' WHERE age > 3", 'SELECT 1'),
    sql('3', 'WITH gone AS (DELETE FROM public.users RETURNING id) SELECT count(*) FROM gone', 'SELECT 1'),
    sql('4', 'ALTER TABLE users ALTER age TYPE smallint', 'ALTER TABLE users ALTER age TYPE int'),
    sql('5', 'ALTER TABLE users ALTER age TYPE text', 'ALTER TABLE users ALTER age TYPE smallint USING age::smallint'),
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
