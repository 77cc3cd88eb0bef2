import { describe, expect, it } from 'vitest'
import { migrateDown, migrateUp } from '../../../lambda/engine/run/migrate.ts'
import { createDatabase } from '../../support/database.ts'
import { code, engineFor, sql } from '../../support/engine.ts'

const first = sql('1_a', 'CREATE TABLE a (id int);', 'DROP TABLE a;')
const second = sql('2_b', 'CREATE TABLE b (id int);', 'DROP TABLE b;')
const third = sql('3_c', 'CREATE INDEX CONCURRENTLY a_id ON a (id);', 'DROP INDEX CONCURRENTLY a_id;', {
  transaction: false,
})
const migrations = [first, second, third]

async function migrated(set = migrations) {
  const database = await createDatabase()
  const engine = engineFor(database)
  await migrateUp(engine, { migrations: set })
  return { database, engine }
}

describe('migrateDown', () => {
  it('reverts the newest, step by step', async () => {
    const { database, engine } = await migrated()
    const result = await migrateDown(engine, { migrations, target: { kind: 'steps', steps: 2 } })
    expect(result).toMatchObject({ status: 'succeeded', reverted: ['3_c', '2_b'], current: '1_a' })
    expect(await database.rows("SELECT to_regclass('a')::text AS a, to_regclass('b')::text AS b")).toEqual([
      { a: 'a', b: null },
    ])
  })

  it('reverts down to a migration, which stays, and to the base', async () => {
    const { database, engine } = await migrated()
    expect(await migrateDown(engine, { migrations, target: { kind: 'to', id: '2_b' } })).toMatchObject({
      reverted: ['3_c'],
      current: '2_b',
    })
    expect(await migrateDown(engine, { migrations, target: { kind: 'base' } })).toMatchObject({
      reverted: ['2_b', '1_a'],
      current: null,
    })
    expect(await database.rows('SELECT count(*)::int AS n FROM lockstep.migrations')).toEqual([{ n: 0 }])
  })

  it('reverts a migration whose file is gone from the source in the history', async () => {
    const { engine } = await migrated()
    const result = await migrateDown(engine, { migrations: [first], target: { kind: 'steps', steps: 2 } })
    expect(result).toMatchObject({ status: 'succeeded', reverted: ['3_c', '2_b'] })
  })

  it('reverts TypeScript whose file is gone from the source in the history', async () => {
    const source = `export const up = async ({ query }: { query: (sql: string) => Promise<unknown> }) => { await query('CREATE TABLE t (id int)') }
export const down = async ({ query }: { query: (sql: string) => Promise<unknown> }): Promise<void> => { await query('DROP TABLE t') }
`
    const applied = code('4_ts', { up: async ({ query }) => void (await query('CREATE TABLE t (id int)')) }, source)
    const { database, engine } = await migrated([first, applied] as never)
    expect(await migrateDown(engine, { migrations: [first], target: { kind: 'steps', steps: 1 } })).toMatchObject({
      reverted: ['4_ts'],
    })
    expect(await database.rows("SELECT to_regclass('t') AS t")).toEqual([{ t: null }])
  })

  it('uses the file when only its down was mended, and the history when its up was changed', async () => {
    const wrong = sql('2_b', 'CREATE TABLE b (id int);', 'DROP TABLE bb;')
    const { engine } = await migrated([first, wrong])
    expect(
      await migrateDown(engine, { migrations: [first, wrong], target: { kind: 'steps', steps: 1 } }),
    ).toMatchObject({ status: 'failed', rolledBack: true })
    expect(
      await migrateDown(engine, { migrations: [first, second], target: { kind: 'steps', steps: 1 } }),
    ).toMatchObject({ reverted: ['2_b'] })
    await migrateUp(engine, { migrations: [first, second] })
    const rewritten = sql('2_b', 'CREATE TABLE z (id int);', 'DROP TABLE z;')
    expect(
      await migrateDown(engine, { migrations: [first, rewritten], target: { kind: 'steps', steps: 1 } }),
    ).toMatchObject({ reverted: ['2_b'] })
  })

  it('refuses an irreversible migration before it touches anything', async () => {
    const final = sql('2_final', 'CREATE TABLE f (id int);')
    const { database, engine } = await migrated([first, final])
    await expect(migrateDown(engine, { migrations: [first, final], target: { kind: 'base' } })).rejects.toMatchObject({
      report: {
        code: 'MIGRATION_IRREVERSIBLE',
        migration: '2_final',
        message: '2_final cannot be reverted: it has no down.',
      },
    })
    expect(await database.rows('SELECT count(*)::int AS n FROM lockstep.migrations')).toEqual([{ n: 2 }])
  })

  it('rolls back when a down fails, and says which', async () => {
    const broken = sql('3_broken', 'CREATE TABLE c (id int);', 'DROP TABLE c;\nDROP TABLE nowhere;')
    const { database, engine } = await migrated([first, second, broken])
    const result = await migrateDown(engine, { migrations: [first, second, broken], target: { kind: 'base' } })
    expect(result).toMatchObject({
      status: 'failed',
      reverted: [],
      rolledBack: true,
      error: { migration: '3_broken', line: 5 },
    })
    expect(await database.rows("SELECT to_regclass('c')::text AS c")).toEqual([{ c: 'c' }])
  })

  it('says what is wrong with a target', async () => {
    const { engine } = await migrated([first])
    await expect(migrateDown(engine, { migrations, target: { kind: 'to', id: '9_z' } })).rejects.toMatchObject({
      report: { code: 'MIGRATION_UNKNOWN' },
    })
    await expect(migrateDown(engine, { migrations, target: { kind: 'steps', steps: 0 } })).rejects.toMatchObject({
      report: { code: 'EVENT_INVALID' },
    })
  })
})
