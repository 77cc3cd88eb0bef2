import { describe, expect, it } from 'vitest'
import { migrateDown, migrateUp } from '../../lambda/engine/run/migrate.ts'
import type { SqlMigration } from '../../lambda/engine/migration/migration.ts'
import { createDatabase, type TestDatabase } from '../support/database.ts'
import { engineFor, sql } from '../support/engine.ts'
import { killedAfter } from '../support/killed-engine.ts'

const OUTSIDE = { transaction: false } as const
const table = sql('1_table', "CREATE TABLE t (name text);\nINSERT INTO t VALUES ('abc');", 'DROP TABLE t;')

/** Outside of a transaction: its first statement commits, whatever becomes of the last. */
function half(last: string): SqlMigration {
  return sql('2_half', `INSERT INTO t VALUES ('half');\n${last};`, undefined, OUTSIDE)
}

async function namesIn(database: TestDatabase): Promise<readonly unknown[]> {
  return (await database.rows('SELECT name FROM t')).map(({ name }) => name)
}

/** Found by `npm run chaos`. */
describe('a migration outside of a transaction that was cut off', () => {
  it('is not reverted by a down that would undo what was never done', async () => {
    const database = await createDatabase()
    const half = sql(
      '2_half',
      "CREATE TABLE one (id int);\nSELECT nothing;\nUPDATE t SET name = name || '+';",
      'UPDATE t SET name = left(name, -1);\nDROP TABLE one;',
      OUTSIDE,
    )
    await migrateUp(engineFor(database), { migrations: [table] })
    await migrateUp(engineFor(database), { migrations: [table, half] })
    expect(await namesIn(database)).toEqual(['abc'])
  })

  it('keeps its progress when the first statement of its down fails', async () => {
    const database = await createDatabase()
    const half = sql(
      '2_half',
      'CREATE TABLE one (id int);\nSELECT nothing;\nCREATE TABLE two (id int);',
      'DROP TABLE two;\nDROP TABLE one;',
      OUTSIDE,
    )
    const result = await migrateUp(engineFor(database), { migrations: [table, half] })
    expect(await database.rows("SELECT to_regclass('one')::text AS one")).toEqual([{ one: 'one' }])
    expect(result).toMatchObject({ status: 'failed', rolledBack: false })
    expect(await database.rows('SELECT id, statements_done FROM lockstep.progress')).toEqual([
      { id: '2_half', statements_done: 1 },
    ])
  })

  it('does not run a statement twice that had committed and could have been recorded with its commit', async () => {
    const database = await createDatabase()
    const steps = sql('2_steps', "UPDATE t SET name = name || '+';\nSELECT 1;", undefined, OUTSIDE)
    const engine = engineFor(database)
    await migrateUp(engine, { migrations: [table] })
    const killed = killedAfter('UPDATE t', engine)
    expect(await migrateUp(killed, { migrations: [table, steps] })).toMatchObject({ status: 'failed' })
    expect(await migrateUp(engine, { migrations: [table, steps] })).toMatchObject({ status: 'succeeded' })
    expect(await namesIn(database)).toEqual(['abc+'])
  })

  it('is not built upon when it was its down that was cut off', async () => {
    const database = await createDatabase()
    const engine = engineFor(database)
    const indexes = sql(
      '2_indexes',
      'CREATE INDEX CONCURRENTLY a ON t (name);\nCREATE INDEX CONCURRENTLY b ON t (name);',
      'DROP INDEX CONCURRENTLY b;\nDROP INDEX CONCURRENTLY a;',
      OUTSIDE,
    )
    const column = sql('3_column', 'ALTER TABLE t ADD COLUMN c int;', 'ALTER TABLE t DROP COLUMN c;')
    await migrateUp(engine, { migrations: [table, indexes] })
    const killed = killedAfter('DROP INDEX CONCURRENTLY b', engine)
    await migrateDown(killed, { migrations: [table, indexes], target: { kind: 'steps', steps: 1 } })
    const up = { migrations: [table, indexes, column] }
    await expect(migrateUp(engine, up)).rejects.toMatchObject({
      report: { code: 'INTERRUPTED', migration: '2_indexes' },
    })
    await migrateDown(engine, { migrations: up.migrations, target: { kind: 'steps', steps: 1 } })
    expect(await migrateUp(engine, up)).toMatchObject({ status: 'succeeded' })
    const [whole] = await database.rows(`SELECT to_regclass('a') IS NOT NULL AS a, to_regclass('b') IS NOT NULL AS b,
      (SELECT count(*)::int FROM lockstep.progress) AS progress`)
    expect(whole).toEqual({ a: true, b: true, progress: 0 })
  })

  it('is not left half done on top of what is reverted beneath it', async () => {
    const database = await createDatabase()
    const engine = engineFor(database)
    await migrateUp(engine, { migrations: [table] })
    await migrateUp(engine, { migrations: [table, half('SELECT nothing')] })
    const base = { migrations: [table, half('SELECT nothing')], target: { kind: 'base' } as const }
    await expect(migrateDown(engine, base)).rejects.toMatchObject({ report: { code: 'INTERRUPTED' } })
    expect(await migrateUp(engine, { migrations: [table, half('SELECT 1')] })).toMatchObject({ status: 'succeeded' })
    expect(await namesIn(database)).toEqual(['abc', 'half'])
  })
})
