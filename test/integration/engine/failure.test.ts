import { describe, expect, it, onTestFinished } from 'vitest'
import { connect } from '../../../lambda/adapters/postgres.ts'
import { migrateUp } from '../../../lambda/engine/run/migrate.ts'
import { createDatabase, type TestDatabase } from '../../support/database.ts'
import { engineFor, sql } from '../../support/engine.ts'
import { startTcpProxy } from '../../support/tcp-proxy.ts'
import { until } from '../../support/wait.ts'

const table = sql('1_table', 'CREATE TABLE t (id int);\nINSERT INTO t VALUES (1), (1);', 'DROP TABLE t;')
const index = sql('2_index', 'CREATE INDEX CONCURRENTLY t_id ON t (id);', 'DROP INDEX CONCURRENTLY t_id;', {
  transaction: false,
})
const broken = sql('3_broken', 'SELECT nothing;', 'SELECT 1;')
const sleeping = sql('3_sleeping', 'CREATE TABLE later (id int);\nSELECT pg_sleep(30);', 'DROP TABLE later;')

function steps(last: string, first = 'one') {
  return sql('2_steps', `CREATE TABLE ${first} (id int);\nCREATE TABLE two (id int);\n${last}`, undefined, {
    transaction: false,
  })
}

async function isSleeping(database: TestDatabase): Promise<boolean> {
  const rows = await database.rows(
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'SELECT pg_sleep%' AND state = 'active'",
  )
  return rows.length > 0
}

describe('a run that fails', () => {
  it('reverts the segments that it had committed, newest first', async () => {
    const database = await createDatabase()
    const result = await migrateUp(engineFor(database), { migrations: [table, index, broken] })
    expect(result).toMatchObject({
      status: 'failed',
      applied: [],
      reverted: ['2_index', '1_table'],
      rolledBack: true,
      current: null,
    })
    expect(result.error?.state).toContain('reverted: 2_index, 1_table')
    expect(
      await database.rows("SELECT to_regclass('t') AS t, (SELECT count(*)::int FROM lockstep.migrations) AS n"),
    ).toEqual([{ t: null, n: 0 }])
  })

  it('reverts what it had committed in scope migration, too', async () => {
    const database = await createDatabase()
    const result = await migrateUp(engineFor(database, { scope: 'migration' }), { migrations: [table, broken] })
    expect(result).toMatchObject({ reverted: ['1_table'], rolledBack: true })
  })

  it('names what cannot be reverted, and leaves it whole', async () => {
    const database = await createDatabase()
    const irreversible = sql('2_final', 'CREATE INDEX CONCURRENTLY t_id ON t (id);', undefined, { transaction: false })
    const result = await migrateUp(engineFor(database), { migrations: [table, irreversible, broken] })
    expect(result).toMatchObject({
      status: 'failed',
      applied: ['1_table', '2_final'],
      rolledBack: false,
      current: '2_final',
    })
    expect(result.error?.state).toContain('Applied by this run and still there: 1_table, 2_final.')
    expect(result.error?.state).toContain('2_final cannot be reverted: it has no down.')
  })

  it('drops the invalid index that a failed concurrent build leaves', async () => {
    const database = await createDatabase()
    const unique = sql('2_unique', 'CREATE UNIQUE INDEX CONCURRENTLY t_unique ON t (id);', 'DROP INDEX t_unique;', {
      transaction: false,
    })
    const engine = engineFor(database)
    await migrateUp(engine, { migrations: [table] })
    const result = await migrateUp(engine, { migrations: [table, unique] })
    expect(result).toMatchObject({ status: 'failed', rolledBack: true, error: { sqlState: '23505', line: 2 } })
    expect(await database.rows("SELECT to_regclass('t_unique') AS i")).toEqual([{ i: null }])
  })

  it('goes on at the failed statement of a migration outside of a transaction', async () => {
    const database = await createDatabase()
    const engine = engineFor(database)
    const failed = await migrateUp(engine, { migrations: [table, steps('SELECT nothing;')] })
    expect(failed).toMatchObject({ status: 'failed', rolledBack: false })
    expect(failed.error?.state).toContain('2_steps has run up to its statement 2 of 3')
    expect(await migrateUp(engine, { migrations: [table, steps('SELECT 1;', 'other')] })).toMatchObject({
      status: 'failed',
      error: { code: 'HISTORY_CHECKSUM_CHANGED' },
    })
    expect(await migrateUp(engine, { migrations: [table, steps('SELECT 1;')] })).toMatchObject({
      status: 'succeeded',
      applied: ['2_steps'],
    })
    expect(await database.rows('SELECT count(*)::int AS n FROM lockstep.progress')).toEqual([{ n: 0 }])
  })

  it('takes back the indexes of a half applied migration, without its down', async () => {
    const database = await createDatabase()
    const up = 'CREATE INDEX CONCURRENTLY one ON t (id);\nCREATE UNIQUE INDEX CONCURRENTLY two ON t (id);'
    const half = sql('2_half', up, 'DROP INDEX two;\nDROP INDEX one;', { transaction: false })
    const result = await migrateUp(engineFor(database), { migrations: [table, half] })
    expect(result).toMatchObject({ status: 'failed', rolledBack: true, reverted: ['2_half', '1_table'] })
    expect(
      await database.rows("SELECT to_regclass('t') AS t, (SELECT count(*)::int FROM lockstep.progress) AS n"),
    ).toEqual([{ t: null, n: 0 }])
  })

  it('rolls back, and says so, when the connection is cut in the middle of a statement', async () => {
    const database = await createDatabase()
    const direct = await database.endpoint()
    const proxy = await startTcpProxy(direct.port)
    onTestFinished(proxy.close)
    const engine = engineFor(database, {
      connect: () =>
        connect({ endpoint: async () => ({ ...direct, port: proxy.port }), applicationName: 'cut', budgetMs: 5000 }),
    })
    const running = migrateUp(engine, { migrations: [table, sleeping] })
    await until(() => isSleeping(database))
    proxy.cut()
    // The server goes on until it notices; ending its session is what client_connection_check_interval does.
    const result = await running
    expect(result).toMatchObject({ status: 'failed', rolledBack: true, current: null })
    expect(result.error?.message).toContain('the connection was lost')
    expect(await migrateUp(engine, { migrations: [table] })).toMatchObject({ status: 'succeeded' })
  }, 60_000)

  it('finds that a commit arrived although its answer was lost', async () => {
    const database = await createDatabase()
    const real = engineFor(database)
    let cut = true
    const engine = engineFor(database, {
      connect: async () => {
        const connection = await real.connect()
        const execute: typeof connection.execute = async (text) => {
          const results = await connection.execute(text)
          if (text !== 'COMMIT' || !cut) return results
          cut = false
          await database.rows(`SELECT pg_terminate_backend(${connection.processId})`)
          return connection.execute('SELECT 1')
        }
        return { ...connection, execute }
      },
    })
    expect(await migrateUp(engine, { migrations: [table] })).toMatchObject({
      status: 'succeeded',
      applied: ['1_table'],
    })
  })

  it('tries again while another session holds the lock that it needs', async () => {
    const database = await createDatabase()
    const engine = engineFor(database)
    await migrateUp(engine, { migrations: [table] })
    const holder = await database.connect()
    await holder.execute('BEGIN; LOCK TABLE t')
    const alter = sql('2_alter', '-- waits\nALTER TABLE t ADD COLUMN a int;', 'SELECT 1;')
    const impatient = { ...alter, directives: { ...alter.directives, lockTimeoutMs: 100 } }
    const running = migrateUp(engine, { migrations: [table, impatient] })
    setTimeout(() => void holder.execute('COMMIT'), 600)
    expect(await running).toMatchObject({ status: 'succeeded', applied: ['2_alter'] })
  })

  it('refuses a migration that changes the history', async () => {
    const database = await createDatabase()
    const meddling = sql('2_meddling', 'DELETE FROM lockstep.migrations;', 'SELECT 1;')
    await migrateUp(engineFor(database), { migrations: [table] })
    const result = await migrateUp(engineFor(database), { migrations: [table, meddling] })
    expect(result).toMatchObject({ status: 'failed', rolledBack: true, current: '1_table' })
    expect(result.error?.message).toContain('one of them changed the history tables')
  })
})
