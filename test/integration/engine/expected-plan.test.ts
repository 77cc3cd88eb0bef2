import { expect, test } from 'vitest'
import type { EngineContext } from '../../../lambda/engine/context.ts'
import { plan } from '../../../lambda/engine/inspect.ts'
import { migrateDown, migrateUp } from '../../../lambda/engine/run/migrate.ts'
import type { Migration } from '../../../lambda/engine/migration/migration.ts'
import { createDatabase, type TestDatabase } from '../../support/database.ts'
import { engineFor, repeatable, sql } from '../../support/engine.ts'
import { killedBefore } from '../../support/killed-engine.ts'

const [one, two, three] = ['1_a', '2_b', '3_c'].map((id) =>
  sql(id, `CREATE TABLE t${id} (id int);`, `DROP TABLE t${id};`),
) as [Migration, Migration, Migration]
const outside = sql('4_d', 'CREATE INDEX CONCURRENTLY one ON t1_a (id);', 'DROP INDEX CONCURRENTLY one;', {
  transaction: false,
})
const NO_SNAPSHOT = { mode: 'none', rows: null } as const
const STEP = { kind: 'steps', steps: 1 } as const

async function hashOf(context: EngineContext, migrations: readonly Migration[], more = {}): Promise<string> {
  return (await plan(context, { migrations, sql: false, snapshot: 'none', ...more })).hash
}

const upTo = (context: EngineContext, migrations: readonly Migration[], hash: string, more = {}) =>
  migrateUp(context, { migrations, plan: { hash, snapshot: NO_SNAPSHOT }, ...more })
const downTo = (context: EngineContext, migrations: readonly Migration[], hash: string, more = {}) =>
  migrateDown(context, { migrations, target: STEP, plan: { hash, snapshot: NO_SNAPSHOT }, ...more })

const historyOf = (database: TestDatabase) =>
  database.rows('SELECT id FROM lockstep.migrations ORDER BY position').then((rows) => rows.map(({ id }) => id))
const runsOf = (database: TestDatabase) =>
  database.rows(`SELECT action, status, details ->> 'plan' AS plan FROM lockstep.runs ORDER BY started_at`)

test('what was planned is done, on a database without a history and on one with it, up and down', async () => {
  const database = await createDatabase()
  const context = engineFor(database)
  const views = repeatable('views', 'CREATE OR REPLACE VIEW v AS SELECT id FROM t1_a;')
  const first = await hashOf(context, [one, two])
  expect(await hashOf(context, [one, two])).toBe(first)
  expect(await upTo(context, [one, two], first)).toMatchObject({ status: 'succeeded', applied: ['1_a', '2_b'] })
  const second = await hashOf(context, [one, two, three, outside, views])
  const result = await upTo(context, [one, two, three, outside, views], second)
  expect(result).toMatchObject({ status: 'succeeded', applied: ['3_c', '4_d', 'repeatable/views#1'] })
  const third = await hashOf(context, [one, two, three, outside, views], { down: STEP })
  expect(third).not.toBe(second)
  expect((await downTo(context, [one, two, three, outside, views], third)).status).toBe('succeeded')
  expect((await runsOf(database)).map((run) => run['plan'])).toEqual([first, second, third])
})

test('another run in between, another file or another setting is refused, says what has changed, and touches nothing', async () => {
  const database = await createDatabase()
  const context = engineFor(database)
  await migrateUp(context, { migrations: [one] })
  const hash = await hashOf(context, [one, two, three])
  const before = await runsOf(database)

  const edited = sql('3_c', 'CREATE TABLE t3_c (id bigint);', 'DROP TABLE t3_c;')
  await expect(upTo(context, [one, two, edited], hash)).rejects.toMatchObject({
    report: {
      code: 'PLAN_CHANGED',
      message: expect.stringMatching(
        new RegExp(
          `^The plan ${hash} is not what this run would do; that is [0-9a-f]{24}\\. Changed: the migrations that`,
        ),
      ),
      state: 'The database has not been touched.',
      remedy: expect.stringContaining('Look at the plan again'),
    },
  })
  await expect(upTo(engineFor(database, { scope: 'migration' }), [one, two, three], hash)).rejects.toMatchObject({
    report: { code: 'PLAN_CHANGED', message: expect.stringContaining('the transaction scope or the snapshot') },
  })
  const withSnapshot = { hash, snapshot: { mode: 'logical', rows: 'database' } } as const
  await expect(migrateUp(context, { migrations: [one, two, three], plan: withSnapshot })).rejects.toMatchObject({
    report: { code: 'PLAN_CHANGED' },
  })
  await expect(upTo(context, [one, two, three], hash, { to: '2_b' })).rejects.toMatchObject({
    report: { code: 'PLAN_CHANGED', message: expect.stringContaining(`Now it would apply 2_b on "${database.name}".`) },
  })
  await expect(downTo(context, [one, two, three], hash)).rejects.toMatchObject({ report: { code: 'PLAN_CHANGED' } })
  expect(await runsOf(database)).toEqual(before)
  expect(await historyOf(database)).toEqual(['1_a'])

  const { runId } = await migrateUp(context, { migrations: [one, two] })
  await expect(upTo(context, [one, two, three], hash)).rejects.toMatchObject({
    report: {
      code: 'PLAN_CHANGED',
      message: expect.stringContaining(`the history (the last run: up ${runId}, succeeded, of `),
    },
  })
  await migrateUp(context, { migrations: [one, two, three] })
  await expect(upTo(context, [one, two, three], hash)).rejects.toMatchObject({
    report: { code: 'PLAN_CHANGED', message: expect.stringContaining('Now it would do nothing on') },
  })
})

test('a second delivery of the same event gets the same answer, with a request id and without one', async () => {
  const database = await createDatabase()
  const context = engineFor(database)
  const hash = await hashOf(context, [one, two])
  const once = await upTo(context, [one, two], hash, { requestId: 'r-1' })
  const again = await upTo(context, [one, two], hash, { requestId: 'r-1' })
  expect(again).toMatchObject({ status: 'succeeded', runId: once.runId, applied: ['1_a', '2_b'], warnings: [] })
  const third = await upTo(context, [one, two], hash)
  expect(third).toMatchObject({ status: 'succeeded', runId: null, applied: [], current: '2_b' })
  expect(third.warnings).toEqual([`The plan ${hash} was carried out before, by the run ${once.runId}.`])

  const back = await hashOf(context, [one, two], { down: STEP })
  expect(await downTo(context, [one, two], back)).toMatchObject({ reverted: ['2_b'] })
  // Whoever sends it twice does not mean two steps.
  expect(await downTo(context, [one, two], back)).toMatchObject({ status: 'succeeded', reverted: [], runId: null })
  expect(await historyOf(database)).toEqual(['1_a'])
  // What was carried out and then taken back can be done again only as what it is now.
  await expect(upTo(context, [one, two], hash)).rejects.toMatchObject({ report: { code: 'PLAN_CHANGED' } })
})

test('a run that goes on, paused or killed, is not refused for what it has done itself', async () => {
  const database = await createDatabase()
  const hurried = engineFor(database, { shouldPause: () => true })
  const hash = await hashOf(hurried, [one, two, three])
  const deliver = () => upTo(hurried, [one, two, three], hash, { requestId: 'r-1' })
  expect((await deliver()).status).toBe('paused')
  expect((await deliver()).status).toBe('paused')
  expect(await deliver()).toMatchObject({ status: 'succeeded', applied: ['1_a', '2_b', '3_c'] })

  const context = engineFor(database)
  const more = [one, two, three, outside, sql('5_e', 'CREATE TABLE t5_e (id int);', 'DROP TABLE t5_e;')]
  const next = await hashOf(context, more)
  const dying = killedBefore('CREATE TABLE t5_e', context)
  expect(await upTo(dying, more, next, { requestId: 'r-2' })).toMatchObject({ status: 'failed', rolledBack: false })
  expect(await historyOf(database)).toContain('4_d')
  // Another request is another run: the world is not what it was planned for.
  await expect(upTo(context, more, next)).rejects.toMatchObject({ report: { code: 'PLAN_CHANGED' } })
  const rest = await upTo(context, more, next, { requestId: 'r-2' })
  expect(rest).toMatchObject({ status: 'succeeded', applied: ['4_d', '5_e'] })
})

test('a failed run that left nothing behind can be tried again by the same plan', async () => {
  const database = await createDatabase()
  const context = engineFor(database)
  const late = sql('1_late', 'INSERT INTO later VALUES (1);')
  const hash = await hashOf(context, [late])
  expect((await upTo(context, [late], hash)).status).toBe('failed')
  await database.rows('CREATE TABLE later (id int)')
  expect((await upTo(context, [late], hash)).status).toBe('succeeded')
})
