import { describe, expect, it } from 'vitest'
import { endpointFromUrl } from '../../../lambda/adapters/endpoint.ts'
import { connect } from '../../../lambda/adapters/postgres.ts'
import { migrateUp } from '../../../lambda/engine/run/migrate.ts'
import { createDatabase } from '../../support/database.ts'
import { code, engineFor, sql } from '../../support/engine.ts'
import { startPooler } from '../../support/pooler.ts'
import { reportThrownBy } from '../../support/report.ts'
import { until } from '../../support/wait.ts'

const table = sql('1_table', 'CREATE TABLE t (id int);', 'DROP TABLE t;')
const OWN_LOCKS = `SELECT FROM pg_locks WHERE locktype = 'advisory'
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`

async function behindPooler(mode: 'transaction' | 'session') {
  const database = await createDatabase()
  const url = await startPooler(database.url, mode)
  const open = () => connect({ endpoint: async () => endpointFromUrl(url), applicationName: 'pooled', budgetMs: 0 })
  return { database, url: new URL(url), engine: engineFor(database, { connect: open }) }
}

describe('behind a pooler', () => {
  it('refuses to run where the server session changes from one transaction to the next', async () => {
    const { database, url, engine } = await behindPooler('transaction')
    const report = await reportThrownBy(() => migrateUp(engine, { migrations: [table] }))
    expect(report).toMatchObject({
      code: 'CONFIG_INVALID',
      state: 'The database has not been touched.',
      remedy: expect.stringContaining('a pool in session mode'),
    })
    expect(report.message).toContain(`A pooler at ${url.host} runs`)
    expect(await database.rows("SELECT to_regclass('t') AS t, to_regnamespace('lockstep') AS s")).toEqual([
      { t: null, s: null },
    ])
    expect(await database.rows(OWN_LOCKS)).toEqual([])
    expect(await migrateUp(engineFor(database), { migrations: [table] })).toMatchObject({ status: 'succeeded' })
  })

  it('runs where the server session is kept', async () => {
    const { database, engine } = await behindPooler('session')
    expect(await migrateUp(engine, { migrations: [table] })).toMatchObject({ status: 'succeeded' })
    await until(async () => (await database.rows(OWN_LOCKS)).length === 0)
  })

  it('cancels the statement that is under way, though the pooler tells process ids of its own', async () => {
    const { engine } = await behindPooler('session')
    const controller = new AbortController()
    setTimeout(() => controller.abort(new Error('stop')), 1000)
    const began = performance.now()
    const slow = sql('2_slow', 'SELECT pg_sleep(30);')
    const result = await migrateUp(engine, { migrations: [slow], signal: controller.signal })
    expect(result).toMatchObject({ status: 'failed', rolledBack: true })
    // Without the cancellation the session would be cut off after four seconds.
    expect(performance.now() - began).toBeLessThan(4000)
  })
})

describe('a migration that gives the lock up', () => {
  it.each([
    ['in a transaction', sql('2_lost', 'CREATE TABLE u (id int);\nSELECT pg_advisory_unlock_all();')],
    ['by code', code('2_lost', { up: async ({ query }) => void (await query('SELECT pg_advisory_unlock_all()')) })],
    ['outside of a transaction', sql('2_lost', 'DISCARD ALL;', 'SELECT 1;', { transaction: false })],
  ])('is taken back, and told so (%s)', async (_name, losing) => {
    const database = await createDatabase()
    const engine = engineFor(database)
    await migrateUp(engine, { migrations: [table] })
    const result = await migrateUp(engine, { migrations: [table, losing] })
    expect(result).toMatchObject({ status: 'failed', rolledBack: true, current: '1_table' })
    expect(result.error).toMatchObject({ code: 'MIGRATION_FAILED', remedy: expect.stringContaining('DISCARD ALL') })
    expect(result.error?.message).toContain('during 2_lost')
    expect(await database.rows("SELECT to_regclass('u') AS u")).toEqual([{ u: null }])
    await until(async () => (await database.rows(OWN_LOCKS)).length === 0)
  })
})
