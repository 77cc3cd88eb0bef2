import { describe, expect, it } from 'vitest'
import { migrateUp } from '../../../lambda/engine/run/migrate.ts'
import { createDatabase } from '../../support/database.ts'
import { engineFor, sql } from '../../support/engine.ts'
import { until } from '../../support/wait.ts'

const table = sql('1_table', 'SELECT pg_sleep(0.5);\nCREATE TABLE t (id int);', 'DROP TABLE t;')

describe('two runs at once', () => {
  it('lets the second wait, and find nothing to do', async () => {
    const database = await createDatabase()
    const results = await Promise.all([1, 2, 3].map(() => migrateUp(engineFor(database), { migrations: [table] })))
    expect(results.map((result) => result.status)).toEqual(['succeeded', 'succeeded', 'succeeded'])
    expect(results.flatMap((result) => result.applied)).toEqual(['1_table'])
  })

  it('names the holder when the lock does not become free', async () => {
    const database = await createDatabase()
    const slow = sql('1_slow', 'SELECT pg_sleep(3);', 'SELECT 1;')
    const running = migrateUp(engineFor(database), { migrations: [slow] })
    await until(
      async () =>
        (
          await database.rows(
            "SELECT FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
          )
        ).length > 0,
    )
    await expect(migrateUp(engineFor(database, { lockTimeoutMs: 300 }), { migrations: [slow] })).rejects.toMatchObject({
      report: {
        code: 'LOCK_HELD',
        message: expect.stringMatching(
          /did not end within 0\.3 s: pid \d+, lockstep under test, user postgres, from 127\.0\.0\.1, since 20/,
        ),
        remedy: expect.stringContaining('pg_terminate_backend('),
      },
    })
    expect(await running).toMatchObject({ status: 'succeeded' })
  })

  it('lets two sets run side by side, each with its own history', async () => {
    const database = await createDatabase()
    const other = sql('1_table', 'CREATE TABLE other (id int);', 'DROP TABLE other;')
    const results = await Promise.all([
      migrateUp(engineFor(database, { set: 'a' }), { migrations: [table] }),
      migrateUp(engineFor(database, { set: 'b' }), { migrations: [other] }),
    ])
    expect(results.map((result) => result.status)).toEqual(['succeeded', 'succeeded'])
    expect(await database.rows('SELECT "set" FROM lockstep.migrations ORDER BY 1')).toEqual([
      { set: 'a' },
      { set: 'b' },
    ])
  })
})

describe('the same request twice', () => {
  it('migrates once and gives equal answers, in sequence and at once', async () => {
    const database = await createDatabase()
    const engine = engineFor(database)
    const request = { migrations: [table], requestId: 'r-1' }
    const [first, second] = await Promise.all([migrateUp(engine, request), migrateUp(engine, request)])
    const third = await migrateUp(engine, request)
    for (const answer of [first, second, third]) {
      expect(answer).toMatchObject({
        status: 'succeeded',
        applied: ['1_table'],
        current: '1_table',
        runId: first?.runId,
      })
    }
    expect(await database.rows('SELECT count(*)::int AS n FROM lockstep.runs')).toEqual([{ n: 1 }])
  })

  it('gives the same failure, without trying again', async () => {
    const database = await createDatabase()
    const engine = engineFor(database)
    const request = { migrations: [sql('1_broken', 'SELECT nothing;')], requestId: 'r-1' }
    const first = await migrateUp(engine, request)
    const second = await migrateUp(engine, { ...request, migrations: [sql('1_broken', 'SELECT 1;')] })
    expect(second.error).toEqual(first.error)
    expect(second).toMatchObject({ status: 'failed', rolledBack: true, runId: first.runId })
  })

  it('goes on with the same run when its first attempt was killed', async () => {
    const database = await createDatabase()
    const engine = engineFor(database)
    await migrateUp(engine, { migrations: [sql('0_first', 'SELECT 1;')] })
    const [killed] = await database.rows(`INSERT INTO lockstep.runs
      (run_id, "set", request_id, trigger, action, from_heads, status, started_at)
      VALUES (gen_random_uuid(), 'default', 'r-1', 'deployment', 'up', '{}', 'running', now()) RETURNING run_id`)
    const result = await migrateUp(engine, { migrations: [sql('0_first', 'SELECT 1;'), table], requestId: 'r-1' })
    expect(result).toMatchObject({ status: 'succeeded', applied: ['1_table'], runId: killed?.run_id })
    expect(await database.rows('SELECT status, request_id FROM lockstep.runs ORDER BY started_at')).toEqual([
      { status: 'succeeded', request_id: null },
      { status: 'succeeded', request_id: 'r-1' },
    ])
  })
})
