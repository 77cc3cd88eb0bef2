import { describe, expect, it } from 'vitest'
import type { RunResult } from '../../../lambda/contract.ts'
import type { EngineContext } from '../../../lambda/engine/context.ts'
import { status } from '../../../lambda/engine/inspect.ts'
import { migrateDown, migrateUp } from '../../../lambda/engine/run/migrate.ts'
import type { Migration } from '../../../lambda/engine/migration/migration.ts'
import { LockstepError } from '../../../lambda/errors.ts'
import { createDatabase, type TestDatabase } from '../../support/database.ts'
import { code, engineFor, sql } from '../../support/engine.ts'
import { killedBefore } from '../../support/killed-engine.ts'

const TABLES = ['1_a', '2_b', '3_c'].map((id) => sql(id, `CREATE TABLE t${id} (id int);`, `DROP TABLE t${id};`))
const CONCURRENT = sql(
  '4_indexes',
  'CREATE INDEX CONCURRENTLY one ON t1_a (id);\nCREATE INDEX CONCURRENTLY two ON t1_a (id);',
  'DROP INDEX CONCURRENTLY one;\nDROP INDEX CONCURRENTLY two;',
  { transaction: false },
)
const BROKEN = sql('5_broken', 'SELECT nothing;')

/** An engine whose time is always over: it does one thing in each invocation. */
function hurried(database: TestDatabase, overrides: Partial<EngineContext> = {}): EngineContext {
  return engineFor(database, { shouldPause: () => true, ...overrides })
}

/** Invokes until the run is not paused any more. */
async function invocations(invoke: () => Promise<RunResult>): Promise<readonly RunResult[]> {
  const results: RunResult[] = []
  do results.push(await invoke())
  while (results.at(-1)?.status === 'paused' && results.length < 30)
  return results
}

function up(engine: EngineContext, migrations: readonly Migration[], more = {}): Promise<readonly RunResult[]> {
  return invocations(() => migrateUp(engine, { migrations, requestId: 'r-1', ...more }))
}

const RUNS = 'SELECT status, snapshot_uri FROM lockstep.runs'
const APPLIED = 'SELECT id, run_id FROM lockstep.migrations ORDER BY position'

describe('a run that takes more than one invocation', () => {
  it.each(['run', 'migration'] as const)(
    'is one run in the history, and applies in order (scope %s)',
    async (scope) => {
      const database = await createDatabase()
      const results = await up(hurried(database, { scope }), TABLES)
      expect(results.map((result) => [result.status, result.applied])).toEqual([
        ['paused', ['1_a']],
        ['paused', ['1_a', '2_b']],
        ['succeeded', ['1_a', '2_b', '3_c']],
      ])
      const runId = results[0]?.runId
      expect(await database.rows(APPLIED)).toEqual(['1_a', '2_b', '3_c'].map((id) => ({ id, run_id: runId })))
      expect(await database.rows(RUNS)).toEqual([{ status: 'succeeded', snapshot_uri: null }])
    },
  )

  it('takes its snapshot once, and keeps it', async () => {
    const database = await createDatabase()
    let taken = 0
    const takeSnapshot = async (): Promise<string> => `file:///snapshot-${(taken += 1)}`
    const results = await up(hurried(database), TABLES, { takeSnapshot })
    expect(results.map((result) => result.applied.length)).toEqual([0, 1, 2, 3])
    expect(results.map((result) => result.snapshot)).toEqual(Array(4).fill('file:///snapshot-1'))
    expect(await database.rows(RUNS)).toEqual([{ status: 'succeeded', snapshot_uri: 'file:///snapshot-1' }])
  })

  it('pauses between the statements of a migration outside of a transaction', async () => {
    const database = await createDatabase()
    await up(engineFor(database), TABLES)
    const results = await invocations(() =>
      migrateUp(hurried(database), { migrations: [...TABLES, CONCURRENT], requestId: 'r-2' }),
    )
    expect(results.map((result) => [result.status, result.applied])).toEqual([
      ['paused', []],
      ['succeeded', ['4_indexes']],
    ])
    expect(await database.rows("SELECT indexname FROM pg_indexes WHERE tablename = 't1_a' ORDER BY 1")).toHaveLength(2)
    expect(await database.rows('SELECT 1 FROM lockstep.progress')).toEqual([])
  })

  it('pauses between the batches of a backfill', async () => {
    const database = await createDatabase()
    await database.rows('CREATE TABLE numbers AS SELECT generate_series(1, 50) AS n, false AS done')
    const backfill = code('1_backfill', {
      transaction: false,
      up: async ({ batch }) =>
        void (await batch('UPDATE numbers SET done = true WHERE n IN (SELECT n FROM numbers WHERE NOT done LIMIT $1)', {
          size: 20,
        })),
    })
    const results = await up(hurried(database), [backfill])
    expect(results.map((result) => result.status)).toEqual(['paused', 'paused', 'paused', 'succeeded'])
    expect(await database.rows('SELECT count(*)::int AS n FROM numbers WHERE done')).toEqual([{ n: 50 }])
  })

  it('reverts what its earlier invocations had applied when it fails', async () => {
    const database = await createDatabase()
    const results = await up(hurried(database), [...TABLES, CONCURRENT, BROKEN])
    expect(results.at(-1)).toMatchObject({
      status: 'failed',
      rolledBack: true,
      applied: [],
      reverted: ['4_indexes', '3_c', '2_b', '1_a'],
      error: { code: 'MIGRATION_FAILED', migration: '5_broken' },
    })
    expect(await database.rows(APPLIED)).toEqual([])
    expect(await database.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).toEqual([])
  })

  it('goes on with a run that was killed, and reverts it whole', async () => {
    const database = await createDatabase()
    const engine = engineFor(database, { scope: 'migration' })
    await migrateUp(hurried(database), { migrations: TABLES, requestId: 'r-1' })
    await database.rows("UPDATE lockstep.runs SET details = details - 'pausedAtMs'")
    const [result] = await up(engine, [...TABLES, BROKEN])
    expect(result).toMatchObject({ status: 'failed', rolledBack: true, reverted: ['3_c', '2_b', '1_a'] })
  })

  it('is answered with what it did when its last invocation was killed before it could say so', async () => {
    const database = await createDatabase()
    await up(engineFor(database), TABLES)
    await database.rows("UPDATE lockstep.runs SET status = 'running', finished_at = NULL, details = '{}'")
    const [again] = await up(engineFor(database), TABLES)
    expect(again).toMatchObject({ status: 'succeeded', applied: ['1_a', '2_b', '3_c'], current: '3_c' })
    expect(await database.rows(RUNS)).toMatchObject([{ status: 'succeeded' }])
  })

  it('goes on after another run that came in between', async () => {
    const database = await createDatabase()
    const first = await migrateUp(hurried(database), { migrations: TABLES, requestId: 'r-1' })
    const between = await migrateUp(engineFor(database), { migrations: TABLES.slice(0, 2) })
    expect([first.applied, between.applied]).toEqual([['1_a'], ['2_b']])
    const [last] = await up(engineFor(database), TABLES)
    expect(last).toMatchObject({ status: 'succeeded', applied: ['1_a', '3_c'], runId: first.runId })
  })

  it('is said to be running between two invocations, and interrupted when none follows', async () => {
    const database = await createDatabase()
    const engine = engineFor(database)
    await migrateUp(hurried(database), { migrations: TABLES, requestId: 'r-1' })
    const said = async (minutes: number): Promise<string | undefined> => {
      const now = (): Date => new Date(Date.now() + minutes * 60_000)
      return (await status({ ...engine, clock: { ...engine.clock, now } }, TABLES)).lastRun?.status
    }
    expect([await said(0), await said(2)]).toEqual(['running', 'interrupted'])
  })

  it('knows what a killed invocation had reverted', async () => {
    const database = await createDatabase()
    const broken = sql('1_a', 'CREATE TABLE t1_a (id int);', 'SELECT nothing;')
    const migrations = [broken, ...TABLES.slice(1)]
    await up(engineFor(database), migrations)
    const down = { migrations, requestId: 'r-2', target: { kind: 'ids', ids: IDS } } as const
    await migrateDown(killedBefore('SELECT nothing', engineFor(database, { scope: 'migration' })), down)
    const again = await migrateDown(engineFor(database), down)
    expect(again).toMatchObject({ status: 'failed', rolledBack: false, reverted: ['3_c', '2_b'] })
  })

  it('reverts in more than one invocation, too', async () => {
    const database = await createDatabase()
    await up(engineFor(database), TABLES)
    const results = await invocations(() =>
      migrateDown(hurried(database), { migrations: TABLES, requestId: 'r-2', target: { kind: 'ids', ids: IDS } }),
    )
    expect(results.map((result) => [result.status, result.reverted])).toEqual([
      ['paused', ['3_c']],
      ['paused', ['3_c', '2_b']],
      ['succeeded', ['3_c', '2_b', '1_a']],
    ])
    expect(await database.rows(APPLIED)).toEqual([])
  })
})

const IDS = ['1_a', '2_b', '3_c']

/** An engine whose invocation ends after so many milliseconds; others follow. */
function invocation(
  database: TestDatabase,
  ms: number,
): { readonly engine: EngineContext; readonly signal: AbortSignal } {
  const controller = new AbortController()
  const end = performance.now() + ms
  setTimeout(() => controller.abort(new LockstepError({ ...OVER })), ms)
  const remainingMs = (): number => end - performance.now()
  return {
    engine: engineFor(database, { remainingMs, shouldPause: () => remainingMs() < 100 }),
    signal: controller.signal,
  }
}

describe('a migration that the end of an invocation cuts off', () => {
  const FILL = sql('2_slow', 'SELECT pg_sleep(0.8);\nCREATE TABLE slow (id int);', 'DROP TABLE slow;')

  it('gets the next invocation for itself', async () => {
    const database = await createDatabase()
    const migrations = [TABLES[0], FILL].filter((one) => one !== undefined)
    let late = 700
    const results = await invocations(async () => {
      const { engine, signal } = invocation(database, 1300)
      await engine.clock.sleep(late)
      late = 0
      return migrateUp(engine, { migrations, requestId: 'r-1', signal })
    })
    expect(results.map((result) => [result.status, result.applied])).toEqual([
      ['paused', []],
      ['paused', ['1_a']],
      ['succeeded', ['1_a', '2_slow']],
    ])
  })

  it('fails when it had an invocation for itself already', async () => {
    const database = await createDatabase()
    const { engine, signal } = invocation(database, 600)
    const result = await migrateUp(engine, { migrations: [FILL], requestId: 'r-1', signal })
    expect(result).toMatchObject({ status: 'failed', rolledBack: true, error: { code: 'DEADLINE_EXCEEDED' } })
  })
})

const OVER = { code: 'DEADLINE_EXCEEDED', message: 'Over.', state: '', remedy: '' } as const
