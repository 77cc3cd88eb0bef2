import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../../lambda/adapters/clock.ts'
import type { EngineContext } from '../../../lambda/engine/context.ts'
import { migrateUp } from '../../../lambda/engine/run/migrate.ts'
import { silentLog, type LogFields } from '../../../lambda/log.ts'
import { createDatabase, type TestDatabase } from '../../support/database.ts'
import { code, engineFor, fileOf, sql } from '../../support/engine.ts'

const table = sql('1_table', 'CREATE TABLE t (id int);\nINSERT INTO t VALUES (1);', 'DROP TABLE t;')
const IMPATIENT = '-- lockstep:lock-timeout 200ms\n'

interface World {
  readonly database: TestDatabase
  readonly warnings: LogFields[]
  readonly engine: (overrides?: Partial<EngineContext>) => EngineContext
}

async function migrated(): Promise<World> {
  const database = await createDatabase()
  const warnings: LogFields[] = []
  const log = { ...silentLog, warn: (_message: string, fields: LogFields = {}) => void warnings.push(fields) }
  const engine = (overrides = {}): EngineContext => engineFor(database, { log, ...overrides })
  await migrateUp(engine(), { migrations: [table] })
  return { database, warnings, engine }
}

/** A session that reads the table in a transaction for so long. */
async function holdFor(database: TestDatabase, ms: number) {
  const reader = await database.connect('a long report')
  await reader.execute('BEGIN; SELECT * FROM t')
  const gone = delay(ms).then(() => reader.execute('COMMIT'))
  return { pid: reader.processId, gone }
}

/** A clock on which pauses take no time, and a hundredfold of it passes. */
function hurriedClock() {
  let ahead = 0
  const sleep = async (ms: number): Promise<void> => void (ahead += ms * 100)
  return { ...systemClock, monotonic: () => performance.now() + ahead, sleep }
}

describe('a migration whose lock is held', () => {
  it.each([
    ['in a transaction', `${IMPATIENT}-- migrate:up\nINSERT INTO t VALUES (2);\nALTER TABLE t ADD COLUMN a int;`],
    ['by itself', `${IMPATIENT}-- migrate:up transaction:false\nALTER TABLE t ADD COLUMN a int;`],
    ['by a statement that allows no transaction', `${IMPATIENT}-- migrate:up transaction:false\nVACUUM FULL t;`],
  ])('is done again until the holder is gone (%s)', async (_name, text) => {
    const { database, warnings, engine } = await migrated()
    const { pid, gone } = await holdFor(database, 2000)
    const result = await migrateUp(engine(), { migrations: [table, fileOf('2_alter', text)] })
    expect(result).toMatchObject({ status: 'succeeded', applied: ['2_alter'] })
    await gone
    expect(warnings.length).toBeGreaterThan(1)
    expect(warnings[0]).toMatchObject({ attempt: 1, givesUpAfterSeconds: expect.closeTo(300, -2) })
    expect(warnings[0]?.blockedBy).toMatch(
      new RegExp(`^pid ${pid}, a long report, in a transaction since 20\\S+Z, holds a lock on t$`),
    )
    const rows = await database.rows('SELECT id FROM t ORDER BY id')
    expect(rows).toEqual(text.includes('INSERT') ? [{ id: 1 }, { id: 2 }] : [{ id: 1 }])
  })

  it('is found through the index whose table is locked, and never blamed on others', async () => {
    const { database, warnings, engine } = await migrated()
    await database.rows('CREATE INDEX t_id ON t (id); CREATE TABLE o (id int)')
    const other = await database.connect('another')
    await other.execute('BEGIN; SELECT * FROM o')
    const { pid } = await holdFor(database, 700)
    const drop = fileOf('2_drop', `${IMPATIENT}-- migrate:up\nDROP INDEX t_id;`)
    expect(await migrateUp(engine(), { migrations: [table, drop] })).toMatchObject({ status: 'succeeded' })
    expect(warnings[0]?.blockedBy).toContain(`pid ${pid}, a long report`)
  })

  it('is done again when it is code, and names a likely holder', async () => {
    const { database, warnings, engine } = await migrated()
    const { pid } = await holdFor(database, 6000)
    const alter = code('2_alter', { up: async ({ query }) => void (await query('ALTER TABLE t ADD COLUMN a int')) })
    expect(await migrateUp(engine(), { migrations: [table, alter] })).toMatchObject({ applied: ['2_alter'] })
    expect(warnings[0]?.blockedBy).toContain(`pid ${pid}, a long report`)
  })

  it('builds its index again when the build itself gave up', async () => {
    const { database, warnings, engine } = await migrated()
    const old = await database.connect('old')
    await old.execute('BEGIN; UPDATE t SET id = 1')
    const gone = delay(1000).then(() => old.execute('COMMIT'))
    const text = `${IMPATIENT}-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY t_id ON t (id);`
    const result = await migrateUp(engine(), { migrations: [table, fileOf('2_index', text)] })
    expect(result).toMatchObject({ status: 'succeeded', applied: ['2_index'] })
    await gone
    expect(warnings.some((fields) => 'attempt' in fields)).toBe(true)
    expect(await database.rows("SELECT indisvalid FROM pg_index WHERE indexrelid = 't_id'::regclass")).toEqual([
      { indisvalid: true },
    ])
  })

  it('gives up at the budget, and names who is in the way', async () => {
    const { database, engine } = await migrated()
    const { pid, gone } = await holdFor(database, 3000)
    const alter = fileOf('2_alter', `${IMPATIENT}-- migrate:up\nALTER TABLE t ADD COLUMN a int;`)
    const result = await migrateUp(engine({ clock: hurriedClock() }), { migrations: [table, alter] })
    expect(result).toMatchObject({ status: 'failed', rolledBack: true, error: { sqlState: '55P03' } })
    expect(result.error?.remedy).toContain(`pid ${pid}, a long report`)
    expect(result.error?.remedy).toContain(`pg_terminate_backend(${pid})`)
    await gone
  })

  it('leaves half of the time for the way back', async () => {
    const { database, warnings, engine } = await migrated()
    const { gone } = await holdFor(database, 3000)
    const alter = fileOf('2_alter', `${IMPATIENT}-- migrate:up\nALTER TABLE t ADD COLUMN a int;`)
    const began = performance.now()
    const remainingMs = (): number => began + 4000 - performance.now()
    const result = await migrateUp(engine({ remainingMs }), { migrations: [table, alter] })
    expect(result).toMatchObject({ status: 'failed', rolledBack: true })
    expect(performance.now() - began).toBeLessThan(3000)
    expect(warnings.length).toBeGreaterThan(0)
    await gone
  })

  it('stops at once when it is told to', async () => {
    const { database, warnings, engine } = await migrated()
    const { gone } = await holdFor(database, 3000)
    const controller = new AbortController()
    const alter = fileOf('2_alter', `${IMPATIENT}-- migrate:up\nALTER TABLE t ADD COLUMN a int;`)
    setTimeout(() => controller.abort(new Error('stop')), 1500)
    const began = performance.now()
    const result = await migrateUp(engine(), { migrations: [table, alter], signal: controller.signal })
    expect(result).toMatchObject({ status: 'failed', rolledBack: true })
    expect(performance.now() - began).toBeLessThan(3000)
    expect(warnings.length).toBeGreaterThan(0)
    await gone
  })
})
