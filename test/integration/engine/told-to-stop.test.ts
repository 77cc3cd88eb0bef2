import { describe, expect, it } from 'vitest'
import { migrateUp } from '../../../lambda/engine/run/migrate.ts'
import { LockstepError } from '../../../lambda/errors.ts'
import { createDatabase } from '../../support/database.ts'
import { code, engineFor, sql } from '../../support/engine.ts'
import { until } from '../../support/wait.ts'

const table = sql('1_table', 'CREATE TABLE t (id int);', 'DROP TABLE t;')
const sleeping = sql('3_sleeping', 'CREATE TABLE later (id int);\nSELECT pg_sleep(30);', 'DROP TABLE later;')
const SLEEPING = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"

describe('a run that is told to stop', () => {
  it('cancels the statement that is under way', async () => {
    const database = await createDatabase()
    const controller = new AbortController()
    const running = migrateUp(engineFor(database), { migrations: [table, sleeping], signal: controller.signal })
    await until(async () => (await database.rows(SLEEPING)).length > 0)
    const began = performance.now()
    controller.abort(
      new LockstepError({ code: 'DEADLINE_EXCEEDED', message: 'Time is over.', state: '', remedy: 'Less.' }),
    )
    const result = await running
    expect(performance.now() - began).toBeLessThan(10_000)
    expect(result).toMatchObject({
      status: 'failed',
      rolledBack: true,
      error: { code: 'DEADLINE_EXCEEDED', migration: '3_sleeping' },
    })
  })

  it('rolls back between statements', async () => {
    const database = await createDatabase()
    const controller = new AbortController()
    const stopping = code('2_stop', { up: () => controller.abort(new Error('time is over')) })
    const result = await migrateUp(engineFor(database), {
      migrations: [table, stopping, sql('3_more', 'SELECT 1;')],
      signal: controller.signal,
    })
    expect(result).toMatchObject({ status: 'failed', rolledBack: true })
    expect(result.error?.message).toContain('time is over')
  })

  it('says why, also when a statement of its own is cancelled', async () => {
    const database = await createDatabase()
    const engine = engineFor(database)
    const controller = new AbortController()
    const stopping = code('2_stop', { up: () => controller.abort(new Error('time is over')) })
    const connect = async () => {
      const connection = await engine.connect()
      const execute = (text: string) => {
        const pause = text.startsWith('DO $lockstep$') ? 'SELECT pg_sleep(5);' : ''
        return connection.execute(`${pause}${text}`)
      }
      return { ...connection, execute }
    }
    const request = { migrations: [table, stopping], signal: controller.signal }
    const result = await migrateUp({ ...engine, connect }, request)
    expect(result).toMatchObject({ status: 'failed', rolledBack: true, error: { migration: '2_stop' } })
    expect(result.error?.message).toContain('time is over')
  })
})
