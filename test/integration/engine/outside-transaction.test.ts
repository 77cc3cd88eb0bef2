import { describe, expect, it } from 'vitest'
import type { Connection } from '../../../lambda/engine/database.ts'
import { migrateDown, migrateUp } from '../../../lambda/engine/run/migrate.ts'
import { createDatabase } from '../../support/database.ts'
import { code, engineFor, sql } from '../../support/engine.ts'
import { until } from '../../support/wait.ts'

const table = sql('1_table', 'CREATE TABLE t (id int);\nINSERT INTO t VALUES (1), (1);', 'DROP TABLE t;')
const outside = { transaction: false }
const index = sql('2_index', 'CREATE INDEX CONCURRENTLY t_id ON t (id);', 'DROP INDEX CONCURRENTLY t_id;', outside)

async function migrated() {
  const database = await createDatabase()
  const engine = engineFor(database)
  await migrateUp(engine, { migrations: [table] })
  return { database, engine }
}

describe('a migration outside of a transaction', () => {
  it('leaves the indexes alone that others are building', async () => {
    const { database, engine } = await migrated()
    await database.rows('CREATE TABLE o (id int)')
    const old = await database.connect()
    await old.execute('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1')
    const building = database.rows('CREATE INDEX CONCURRENTLY o_id ON o (id)')
    await until(async () => (await database.rows("SELECT FROM pg_class WHERE relname = 'o_id'")).length > 0)
    const unique = sql('2_unique', 'CREATE UNIQUE INDEX CONCURRENTLY t_unique ON t (id);', undefined, outside)
    expect(await migrateUp(engine, { migrations: [table, unique] })).toMatchObject({
      status: 'failed',
      rolledBack: true,
    })
    await old.execute('COMMIT')
    await building
    expect(
      await database.rows(
        "SELECT relname FROM pg_class JOIN pg_index ON oid = indexrelid WHERE relname IN ('o_id', 't_unique')",
      ),
    ).toEqual([{ relname: 'o_id' }])
  })

  it('waits for old transactions as long as it must: it blocks nobody', async () => {
    const { database, engine } = await migrated()
    const old = await database.connect()
    await old.execute('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1')
    const running = migrateUp(engine, { migrations: [table, index] })
    setTimeout(() => void old.execute('COMMIT'), 6500)
    expect(await running).toMatchObject({ status: 'succeeded', applied: ['2_index'] })
  })

  it.each([true, false])('goes on after an index build that was cut off (finished: %s)', async (finished) => {
    const { database, engine } = await migrated()
    const waiting = await database.connect()
    await waiting.execute('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1')
    const two = sql('2_two', 'CREATE INDEX CONCURRENTLY t_id ON t (id);\nSELECT 1;', undefined, outside)
    const lost = migrateUp(engine, { migrations: [table, two] })
    await until(async () => (await database.rows("SELECT FROM pg_class WHERE relname = 't_id'")).length > 0)
    await database.rows(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'CREATE INDEX CONC%'",
    )
    await waiting.execute('COMMIT')
    expect(await lost).toMatchObject({ status: 'failed', rolledBack: true })
    expect(await database.rows("SELECT to_regclass('t_id') AS i")).toEqual([{ i: null }])
    // As a process leaves it that was killed before it could look.
    await database.rows(`INSERT INTO lockstep.progress VALUES ('default', '2_two', 'up', 0, true, false,
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', gen_random_uuid(), now())`)
    if (finished) await database.rows('CREATE INDEX t_id ON t (id)')
    expect(await migrateUp(engine, { migrations: [table, two] })).toMatchObject({
      status: 'succeeded',
      applied: ['2_two'],
    })
    expect(await database.rows("SELECT indisvalid FROM pg_index WHERE indexrelid = 't_id'::regclass")).toEqual([
      { indisvalid: true },
    ])
  })

  it('does not take an invalid index for its own that it has not named', async () => {
    const { database, engine } = await migrated()
    await database.rows('CREATE UNIQUE INDEX CONCURRENTLY theirs ON t (id)').catch(() => [])
    await database.rows(`INSERT INTO lockstep.progress VALUES ('default', '2_unnamed', 'up', 0, true, false,
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', gen_random_uuid(), now())`)
    const unnamed = sql('2_unnamed', 'CREATE INDEX CONCURRENTLY ON t (id);', undefined, outside)
    expect(await migrateUp(engine, { migrations: [table, unnamed] })).toMatchObject({ status: 'succeeded' })
    expect(await database.rows("SELECT to_regclass('theirs')::text AS theirs")).toEqual([{ theirs: 'theirs' }])
  })

  it('resumes a down at its failed statement, and does not call it rolled back', async () => {
    const { database, engine } = await migrated()
    const up = 'CREATE INDEX CONCURRENTLY i1 ON t (id);\nCREATE INDEX CONCURRENTLY i2 ON t (id);'
    const broken = sql('2_two', up, 'DROP INDEX CONCURRENTLY i1;\nDROP INDEX CONCURRENTLY nope;', outside)
    await migrateUp(engine, { migrations: [table, broken] })
    const failed = await migrateDown(engine, { migrations: [table, broken], target: { kind: 'steps', steps: 1 } })
    expect(failed).toMatchObject({ status: 'failed', rolledBack: false, reverted: [] })
    expect(failed.error?.state).toContain('The down of 2_two has run up to its statement 1 of 2')
    const mended = sql('2_two', up, 'DROP INDEX CONCURRENTLY i1;\nDROP INDEX CONCURRENTLY i2;', outside)
    expect(
      await migrateDown(engine, { migrations: [table, mended], target: { kind: 'steps', steps: 1 } }),
    ).toMatchObject({ reverted: ['2_two'] })
    expect(await database.rows("SELECT to_regclass('i1') AS i1, to_regclass('i2') AS i2")).toEqual([
      { i1: null, i2: null },
    ])
  })

  it('does not call code rolled back that may have committed a part', async () => {
    const { engine } = await migrated()
    const half = code('2_half', {
      transaction: false,
      up: async ({ query }) => {
        await query('INSERT INTO t VALUES (7)')
        throw new Error('half way')
      },
    })
    const result = await migrateUp(engine, { migrations: [table, half] })
    expect(result).toMatchObject({ status: 'failed', rolledBack: false })
    expect(result.error?.state).toContain('2_half may have committed a part of its work')
  })

  it('refuses a transaction that the file begins and does not end, and code that ends the run’s', async () => {
    const { database, engine } = await migrated()
    const open = sql('2_open', 'BEGIN;\nCREATE TABLE lost (id int);', undefined, outside)
    await expect(migrateUp(engine, { migrations: [table, open] })).rejects.toMatchObject({
      report: { code: 'MIGRATION_INVALID', line: 2 },
    })
    const ending = code('2_ending', { up: async ({ query }) => void (await query('COMMIT')) })
    expect(await migrateUp(engine, { migrations: [table, ending] })).toMatchObject({
      rolledBack: true,
      error: { code: 'MIGRATION_INVALID' },
    })
    expect(await database.rows("SELECT to_regclass('lost') AS lost")).toEqual([{ lost: null }])
  })

  it('takes back what a transaction of its own had done before it failed', async () => {
    const { database, engine } = await migrated()
    const own = sql('2_own', 'BEGIN;\nCREATE TABLE mine (id int);\nSELECT nothing;\nCOMMIT;', undefined, outside)
    expect(await migrateUp(engine, { migrations: [table, own] })).toMatchObject({ status: 'failed', rolledBack: true })
    expect(await database.rows("SELECT to_regclass('mine') AS mine")).toEqual([{ mine: null }])
  })

  it.each(['BEGIN', 'BEGIN ISOLATION LEVEL SERIALIZABLE'])(
    'does not run a transaction of its own again (%s) that was committed when the connection was lost',
    async (begin) => {
      const { database, engine } = await migrated()
      const text = `${begin};\nCREATE TABLE mine (id int);\nINSERT INTO mine VALUES (1);\nCOMMIT;\nSELECT 1;`
      const own = sql('2_own', text, undefined, outside)
      const losing = { ...engine, connect: async () => cutAfterCommit(await engine.connect()) }
      const lost = await migrateUp(losing, { migrations: [table, own] })
      expect(lost).toMatchObject({ status: 'failed', error: { code: 'MIGRATION_FAILED' } })
      expect(lost.error?.state).toContain('2_own has run up to its statement 4 of 5')
      expect(await migrateUp(engine, { migrations: [table, own] })).toMatchObject({ status: 'succeeded' })
      expect(await database.rows('SELECT id FROM mine')).toEqual([{ id: 1 }])
    },
  )

  it('runs a transaction of its own with options as one', async () => {
    const { database, engine } = await migrated()
    const text = 'BEGIN ISOLATION LEVEL SERIALIZABLE;\nCREATE TABLE mine (id int);\nSELECT nothing;\nCOMMIT;'
    const result = await migrateUp(engine, { migrations: [table, sql('2_own', text, undefined, outside)] })
    expect(result).toMatchObject({ status: 'failed', rolledBack: true })
    expect(await database.rows("SELECT to_regclass('mine') AS mine")).toEqual([{ mine: null }])
  })

  it.each(['COMMIT AND CHAIN', 'ROLLBACK AND CHAIN'])('refuses %s', async (chain) => {
    const { engine } = await migrated()
    const own = sql('2_own', `BEGIN;\nSELECT 1;\n${chain};\nSELECT 2;\nCOMMIT;`, undefined, outside)
    await expect(migrateUp(engine, { migrations: [table, own] })).rejects.toMatchObject({
      report: { code: 'MIGRATION_INVALID', line: 4, remedy: expect.stringContaining('BEGIN') },
    })
  })
})

/** Loses the connection right after the commit of the file's own transaction. */
function cutAfterCommit(connection: Connection): Connection {
  let inside = false
  return {
    ...connection,
    execute: async (text) => {
      const results = await connection.execute(text)
      inside ||= text.includes('INSERT INTO mine')
      if (inside && text.endsWith('COMMIT')) connection.abandon()
      return results
    },
  }
}
