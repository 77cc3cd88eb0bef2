import { describe, expect, it } from 'vitest'
import { migrateDown, migrateUp } from '../../../lambda/engine/run/migrate.ts'
import type { Migration } from '../../../lambda/engine/migration/migration.ts'
import { createDatabase, type TestDatabase } from '../../support/database.ts'
import { code, engineFor, sql } from '../../support/engine.ts'
import { killedBefore } from '../../support/killed-engine.ts'

const OUTSIDE = { transaction: false } as const
const table = sql(
  '1_table',
  `CREATE TABLE t (id int);
CREATE PROCEDURE fill(fails bool) LANGUAGE plpgsql AS
$$ BEGIN INSERT INTO t VALUES (1); COMMIT; IF fails THEN RAISE 'after its commit'; END IF; END $$;`,
  'DROP PROCEDURE fill;\nDROP TABLE t;',
)
const backfill = code('2_half', {
  transaction: false,
  up: async ({ query }) => {
    await query('INSERT INTO t VALUES (1)')
    await query('SELECT 1 AS second')
  },
  down: async ({ query }) => void (await query('DELETE FROM t')),
})
const calling = sql('2_half', 'CALL fill(false);', 'DELETE FROM t;', OUTSIDE)
const doing = sql(
  '2_half',
  'DO $$ BEGIN INSERT INTO t VALUES (1); COMMIT; PERFORM 1; END $$;',
  'DELETE FROM t;',
  OUTSIDE,
)
const BASE = { kind: 'base' } as const

/** Kills the process at the last statement of what comes after the table. */
async function cutOff(database: TestDatabase, half: Migration): Promise<void> {
  const engine = engineFor(database)
  await migrateUp(engine, { migrations: [table] })
  if (half.kind === 'sql')
    return void (await migrateUp(killedBefore(half === calling ? 'CALL' : 'DO', engine), { migrations: [table, half] }))
  const connect = async () => {
    const connection = await engine.connect()
    const query: typeof connection.query = (text, parameters) => {
      if (text.includes('second')) connection.abandon()
      return connection.query(text, parameters)
    }
    return { ...connection, query }
  }
  let connections = 0
  const once = () => ((connections += 1) === 1 ? connect() : Promise.reject(new Error('killed')))
  await migrateUp({ ...engine, connect: once, lockTimeoutMs: 0 }, { migrations: [table, half] })
}

describe('a migration that was killed and may have committed a part of its work', () => {
  it.each([
    ['TypeScript', backfill],
    ['CALL', calling],
    ['DO', doing],
  ])('keeps what lies beneath it from being reverted, until it is whole (%s)', async (_kind, half) => {
    const database = await createDatabase()
    const engine = engineFor(database)
    await cutOff(database, half)
    const refused = { report: { code: 'INTERRUPTED', message: expect.stringContaining('2_half') as string } }
    for (const migrations of [[table, half], [table]]) {
      await expect(migrateDown(engine, { migrations, target: BASE })).rejects.toMatchObject(refused)
    }
    expect(await migrateUp(engine, { migrations: [table, half] })).toMatchObject({ status: 'succeeded' })
    expect(await migrateDown(engine, { migrations: [table, half], target: BASE })).toMatchObject({
      reverted: ['2_half', '1_table'],
    })
  })
})

describe('a statement that commits by itself', () => {
  it('is not said to have left nothing when it fails', async () => {
    const database = await createDatabase()
    const engine = engineFor(database)
    const failing = sql('2_half', 'CALL fill(true);', undefined, OUTSIDE)
    await migrateUp(engine, { migrations: [table] })
    const result = await migrateUp(engine, { migrations: [table, failing] })
    expect(result).toMatchObject({ status: 'failed', rolledBack: false })
    expect(result.error?.state).toContain('2_half may have committed a part of its work')
    await expect(migrateDown(engine, { migrations: [table, failing], target: BASE })).rejects.toMatchObject({
      report: { code: 'INTERRUPTED' },
    })
  })

  it('is not suspected in a DO that says nothing of it', async () => {
    const database = await createDatabase()
    const engine = engineFor(database)
    const failing = sql('2_half', "DO $$ BEGIN INSERT INTO t VALUES (1); RAISE 'no'; END $$;", undefined, OUTSIDE)
    await migrateUp(engine, { migrations: [table] })
    expect(await migrateUp(engine, { migrations: [table, failing] })).toMatchObject({
      status: 'failed',
      rolledBack: true,
    })
    expect(await migrateDown(engine, { migrations: [table, failing], target: BASE })).toMatchObject({
      status: 'succeeded',
    })
  })
})
