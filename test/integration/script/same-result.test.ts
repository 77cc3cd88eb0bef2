import { describe, expect, test } from 'vitest'
import { status } from '../../../lambda/engine/inspect.ts'
import { migrateDown } from '../../../lambda/engine/run/migrate.ts'
import { engineFor, fileOf, repeatable, sql } from '../../support/engine.ts'
import { bothWays, hasPsql, index, psql, scriptOf, shop } from './support.ts'

describe.skipIf(!hasPsql)('a script leaves what the run leaves', () => {
  test.each(['run', 'migration'] as const)('inside and outside of transactions (scope %s)', async (scope) => {
    const data = sql('3_data', `INSERT INTO users VALUES (1, 'Ada'), (2, 'it''s \\ "x"');`, 'DELETE FROM users;')
    const kind = sql('4_kind', "CREATE TYPE kind AS ENUM ('a');\nALTER TYPE kind ADD VALUE 'b';", 'DROP TYPE kind;')
    const used = sql('5_used', "ALTER TABLE orders ADD kind kind DEFAULT 'b';", 'ALTER TABLE orders DROP kind;')
    const { byPsql, byLockstep } = await bothWays([shop, index, data, kind, used], ['users'], {
      overrides: { scope },
      dumps: scope === 'run' ? 2 : 0,
    })
    expect(byPsql).toEqual(byLockstep)
  })

  test('a file outside of a transaction that has several kinds of statements, and a transaction of its own', async () => {
    const mixed = sql(
      '2_mixed',
      `INSERT INTO users VALUES (1, 'Ada');
BEGIN;
INSERT INTO users VALUES (2, 'Bob');
INSERT INTO users VALUES (3, 'Cy');
COMMIT;
VACUUM users;
DO $$ BEGIN INSERT INTO users VALUES (4, 'Di'); COMMIT; END $$;
CREATE UNIQUE INDEX CONCURRENTLY users_name ON users (name);`,
      'DROP INDEX users_name;\nDELETE FROM users;',
      { transaction: false },
    )
    const { byPsql, byLockstep } = await bothWays([shop, mixed], ['users'])
    expect(byPsql).toEqual(byLockstep)
  })

  test('repeatables, sessions that a migration changes, deferred constraints, and what must come first', async () => {
    const views = repeatable(
      'views',
      '-- migrate:up\nCREATE OR REPLACE VIEW names AS SELECT name FROM users;\n-- migrate:down\nDROP VIEW names;\n',
    )
    const first = sql(
      '2_first',
      'SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;\nCREATE TABLE s (id int);',
      'DROP TABLE s;',
    )
    const dumped = sql(
      '3_dumped',
      "SELECT pg_catalog.set_config('search_path', '', false);\nSET DateStyle = 'German';\nCREATE TABLE public.dumped (id int);",
      'DROP TABLE public.dumped;',
    )
    const deferred = sql(
      '4_deferred',
      `ALTER TABLE orders ADD CONSTRAINT orders_users FOREIGN KEY (who) REFERENCES users DEFERRABLE INITIALLY DEFERRED;
INSERT INTO orders VALUES (1, 7);
INSERT INTO users VALUES (7, 'late');`,
      'ALTER TABLE orders DROP CONSTRAINT orders_users;\nDELETE FROM orders;\nDELETE FROM users;',
    )
    // Refused while the foreign key's check is still pending.
    const after = sql('5_after', 'ALTER TABLE orders ADD note text;', 'ALTER TABLE orders DROP note;')
    const slow = fileOf(
      '6_slow',
      '-- lockstep:lock-timeout 2s\n-- lockstep:statement-timeout 1min\n-- migrate:up\nCREATE TABLE timed AS SELECT current_setting($$lock_timeout$$) AS lock;\n-- migrate:down\nDROP TABLE timed;\n',
    )
    const { byPsql, byLockstep } = await bothWays(
      [shop, first, dumped, deferred, after, slow, views],
      ['users', 'orders', 'timed'],
    )
    expect(byPsql).toEqual(byLockstep)
  })

  test('whatever psql would read otherwise', async () => {
    const odd = sql(
      '2_odd',
      `INSERT INTO users VALUES (1, 'a
\\. \\q
\\! false
:DBNAME :''USER'' $1 ;
--'), (2, E'\\\\ \\' :lockstep_run'), (3, $q$ \\set x ; :USER $q$);
INSERT INTO orders VALUES (1, 1, ARRAY['a','b','c']);
DO $$ DECLARE "USER" int := 2; n int := 3; BEGIN
  UPDATE orders SET tags = tags[n-1:n]; END $$;
CREATE FUNCTION part(n int) RETURNS text[] LANGUAGE sql BEGIN ATOMIC
  SELECT tags[1:n] FROM orders; SELECT CASE WHEN n > 0 THEN tags[:n] END FROM orders; END;
CREATE RULE twice AS ON INSERT TO orders DO ALSO (SELECT 1; SELECT 2);
CREATE TABLE "odd"";\\name" ("select :x" text); /* a comment; with \\x /* nested */ and :y */
COMMENT ON TABLE users IS U&'d!0061t\\+000061' -- ends here;
`,
      'DROP TABLE "odd"";\\name";\nDROP RULE twice ON orders;\nDROP FUNCTION part;\nDELETE FROM orders;\nDELETE FROM users;',
    )
    const { byPsql, byLockstep, database } = await bothWays([shop, odd], ['users', 'orders'])
    expect(byPsql).toEqual(byLockstep)
    const context = engineFor(database)
    await migrateDown(context, { migrations: [shop, odd], target: { kind: 'base' } })
    const again = await scriptOf(context, [shop, odd])
    const named = ['-v', 'n=0', '-v', '1=0', '-v', 'x=y', '-v', 'lockstep_run=z', '-v', 'ON_ERROR_STOP=off']
    expect(await psql(database, again, named)).toMatchObject({ exitCode: 0, stderr: '' })
    expect(await database.rows('SELECT part(1) AS part, tags FROM orders')).toEqual([{ part: ['b'], tags: ['b', 'c'] }])
  })

  test('one set beside another, in a history schema and a database with names of their own', async () => {
    const overrides = { set: `it's \\ a "set"`, schema: 'lockstep' }
    const { byPsql, byLockstep, database } = await bothWays([shop], [], { overrides, dumps: 0 })
    expect(byPsql).toEqual(byLockstep)
    const other = engineFor(database, { set: 'other' })
    const table = sql('1_table', 'CREATE TABLE beside (id int);', 'DROP TABLE beside;')
    expect((await psql(database, await scriptOf(other, [table]))).exitCode).toBe(0)
    expect((await status(other, [table])).upToDate).toBe(true)
    const apart = engineFor(database, { schema: 'own "history"' })
    expect((await psql(database, await scriptOf(apart, [sql('1_more', 'CREATE TABLE more (id int);')]))).exitCode).toBe(
      0,
    )
    expect((await status(apart, [sql('1_more', 'CREATE TABLE more (id int);')])).upToDate).toBe(true)
  })
})
