import { describe, expect, it } from 'vitest'
import type { MigrationContext } from '../../../lambda/engine/migration/migration.ts'
import { history } from '../../../lambda/engine/inspect.ts'
import { migrateUp } from '../../../lambda/engine/run/migrate.ts'
import { createDatabase } from '../../support/database.ts'
import { code, engineFor, sql } from '../../support/engine.ts'

/** Code that runs these statements, one after the other. */
function running(...statements: readonly string[]) {
  return async ({ query }: MigrationContext): Promise<void> => {
    for (const statement of statements) await query(statement)
  }
}

const withSavepoints = async ({ query }: MigrationContext): Promise<void> => {
  await query('SAVEPOINT before')
  await query(`DO $$ BEGIN RAISE 'no'; END $$`).catch(() => query('ROLLBACK TO before'))
  await query('RELEASE before')
  await query(`CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END $$`)
  await query(`CREATE TABLE words AS SELECT 'begin; commit; end' AS word`)
  await query(`INSERT INTO words VALUES ($1)`, ['; ROLLBACK'])
}

const TABLE = sql('1_table', 'CREATE TABLE t (id int);')

describe('a TypeScript migration in the transaction of the run', () => {
  it.each([
    'COMMIT',
    '-- done\nCOMMIT',
    '/* done */ /* really */ commit work',
    ';COMMIT',
    'INSERT INTO t VALUES (2); COMMIT; INSERT INTO t VALUES (3)',
    'ROLLBACK',
    'END',
    'ABORT',
    'COMMIT AND CHAIN',
    'BEGIN',
    'START TRANSACTION',
    "PREPARE TRANSACTION 'x'",
    "COMMIT PREPARED 'x'",
    'DO $$ BEGIN COMMIT; END $$',
  ])('cannot end it: %s', async (control) => {
    const database = await createDatabase()
    const engine = engineFor(database)
    const up = running('INSERT INTO t VALUES (1)', control)
    const result = await migrateUp(engine, { migrations: [TABLE, code('2_code', { up })] })
    expect(result).toMatchObject({ status: 'failed', applied: [], rolledBack: true })
    expect((await history(engine)).migrations).toEqual([])
    expect(await database.rows(`SELECT to_regclass('t') AS found`)).toEqual([{ found: null }])
  })

  it('may use savepoints, and say the words', async () => {
    const database = await createDatabase()
    const engine = engineFor(database)
    const result = await migrateUp(engine, { migrations: [TABLE, code('2_code', { up: withSavepoints })] })
    expect(result).toMatchObject({ status: 'succeeded' })
    expect(await database.rows('SELECT count(*)::int FROM words')).toEqual([{ count: 2 }])
  })
})

describe('a TypeScript migration outside of a transaction', () => {
  it.each(['BEGIN', 'SELECT 1; BEGIN; CREATE TABLE more (id int)', '/* begin */ START TRANSACTION'])(
    'fails when it leaves one open: %s',
    async (control) => {
      const database = await createDatabase()
      const engine = engineFor(database)
      const up = running(control, 'CREATE TABLE u (id int)')
      const result = await migrateUp(engine, { migrations: [TABLE, code('2_code', { up, transaction: false })] })
      expect(result).toMatchObject({
        status: 'failed',
        error: {
          code: 'MIGRATION_INVALID',
          message: '2_code.ts begins a transaction that it does not end.',
          remedy: expect.stringContaining('was rolled back'),
        },
      })
      expect((await history(engine)).migrations.map(({ id }) => id)).not.toContain('2_code')
      expect(await database.rows(`SELECT to_regclass('u') AS found`)).toEqual([{ found: null }])
    },
  )

  it('is told of its own failure when that leaves one open', async () => {
    const database = await createDatabase()
    const engine = engineFor(database)
    const up = running('BEGIN', 'SELECT 1 / 0')
    const result = await migrateUp(engine, { migrations: [TABLE, code('2_code', { up, transaction: false })] })
    expect(result.error).toMatchObject({ code: 'MIGRATION_FAILED', sqlState: '22012' })
  })

  it('may begin and end one of its own', async () => {
    const database = await createDatabase()
    const engine = engineFor(database)
    const up = running('BEGIN', 'CREATE TABLE u (id int)', 'COMMIT')
    const result = await migrateUp(engine, { migrations: [TABLE, code('2_code', { up, transaction: false })] })
    expect(result).toMatchObject({ status: 'succeeded', applied: ['1_table', '2_code'] })
    expect(await database.rows(`SELECT to_regclass('u')::text AS found`)).toEqual([{ found: 'u' }])
  })
})
