import { describe, expect, test } from 'vitest'
import { status } from '../../../lambda/engine/inspect.ts'
import { migrateDown, migrateUp } from '../../../lambda/engine/run/migrate.ts'
import { createDatabase } from '../../support/database.ts'
import { code, engineFor, sql } from '../../support/engine.ts'
import { hasPsql, index, psql, scriptOf, shop } from './support.ts'

test('what a run would refuse, code, and what was cut off have no script', async () => {
  const database = await createDatabase()
  const context = engineFor(database)
  await migrateUp(context, { migrations: [shop] })
  const changed = { ...shop, checksum: 'another' }
  await expect(scriptOf(context, [changed, index])).rejects.toThrow('HISTORY_CHECKSUM_CHANGED')
  await expect(scriptOf(context, [shop, code('2_code', { up: () => {} })])).rejects.toThrow('2_code.ts is code')
})

describe.skipIf(!hasPsql)('a script stops', () => {
  test('at a statement that fails: its transaction is gone, what was committed is in the history, and up goes on', async () => {
    const database = await createDatabase()
    const context = engineFor(database)
    const broken = sql('3_broken', 'CREATE TABLE half (id int);\nINSERT INTO later VALUES (1);', 'DROP TABLE half;')
    const migrations = [shop, index, broken]
    const { exitCode, stderr } = await psql(database, await scriptOf(context, migrations))
    expect(exitCode).toBe(3)
    expect(stderr).toMatch(/plan\.sql:\d+: ERROR: {2}relation "later" does not exist/)
    expect(await status(context, migrations)).toMatchObject({
      current: '2_index',
      pending: ['3_broken'],
      problems: [],
      lastRun: { status: 'interrupted', trigger: 'cli' },
    })
    expect(await database.rows("SELECT to_regclass('half') AS half")).toEqual([{ half: null }])
    await database.rows('CREATE TABLE later (id int)')
    expect(await migrateUp(context, { migrations })).toMatchObject({ status: 'succeeded', applied: ['3_broken'] })
    expect(await migrateDown(context, { migrations, target: { kind: 'base' } })).toMatchObject({ status: 'succeeded' })
  })

  test('outside of a transaction at the statement that fails, where up goes on', async () => {
    const database = await createDatabase()
    const context = engineFor(database)
    const unique = sql(
      '2_unique',
      'INSERT INTO users VALUES (2, $$x$$);\nCREATE UNIQUE INDEX CONCURRENTLY users_name ON users (name);',
      'DROP INDEX users_name;',
      { transaction: false },
    )
    await migrateUp(context, { migrations: [shop] })
    await database.rows("INSERT INTO users VALUES (1, 'x')")
    expect(await psql(database, await scriptOf(context, [shop, unique]))).toMatchObject({ exitCode: 3 })
    const refused = await scriptOf(context, [shop, unique]).catch(String)
    expect(refused).toContain('SCRIPT_REFUSED')
    expect(refused).toContain('the up of 2_unique was begun and cut off')
    await database.rows('DELETE FROM users WHERE id = 1')
    expect(await migrateUp(context, { migrations: [shop, unique] })).toMatchObject({ applied: ['2_unique'] })
  })

  test('when the history is another one, the database is, or a run is under way', async () => {
    const database = await createDatabase()
    const context = engineFor(database)
    await migrateUp(context, { migrations: [shop] })
    const script = await scriptOf(context, [shop, index])
    const elsewhere = await psql(await createDatabase(), script)
    expect(elsewhere).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining('PLAN_CHANGED: this is not the database'),
    })

    const holder = await database.connect('somebody else')
    const key = /pg_try_advisory_lock\((-?\d+)\)/.exec(script)?.[1]
    await holder.execute(`SELECT pg_advisory_lock(${key})`)
    const held = await psql(database, script)
    expect(held.stderr).toContain(
      `LOCK_HELD: another run of the set is under way. Nothing has been touched. Of the process ${holder.processId}`,
    )
    await holder.close()

    expect((await psql(database, script, ['-1'])).stderr).toContain('Run it without --single-transaction')
    expect((await psql(database, script)).exitCode).toBe(0)
    const twice = await psql(database, script)
    expect(twice).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining('PLAN_CHANGED: the history of the set'),
    })
    expect(await database.rows('SELECT count(*)::int AS runs FROM lockstep.runs')).toEqual([{ runs: 2 }])
    expect(await psql(database, await scriptOf(context, [shop, index]))).toMatchObject({
      exitCode: 0,
      stdout: 'Lockstep: there is nothing to do.\n',
    })
  })

  test('when a migration changes the history or gives up the lock', async () => {
    for (const what of ['DELETE FROM lockstep.migrations', 'SELECT pg_advisory_unlock_all()']) {
      const database = await createDatabase()
      const context = engineFor(database)
      await migrateUp(context, { migrations: [shop] })
      const { exitCode, stderr } = await psql(database, await scriptOf(context, [shop, sql('2_bad', `${what};`)]))
      expect(exitCode).toBe(3)
      expect(stderr).toContain('MIGRATION_FAILED: ')
      expect((await status(context, [shop])).current).toBe('1_shop')
    }
  })
})
