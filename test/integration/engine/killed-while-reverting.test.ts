import { describe, expect, it } from 'vitest'
import { migrateUp } from '../../../lambda/engine/run/migrate.ts'
import { createDatabase } from '../../support/database.ts'
import { engineFor, sql } from '../../support/engine.ts'
import { killedBefore } from '../../support/killed-engine.ts'

const OUTSIDE = { transaction: false } as const
const table = sql('1_table', 'CREATE TABLE t (id int);', 'DROP TABLE t;')
const indexes = sql(
  '2_indexes',
  'CREATE INDEX CONCURRENTLY one ON t (id);\nCREATE INDEX CONCURRENTLY two ON t (id);',
  'DROP INDEX CONCURRENTLY two;\nDROP INDEX CONCURRENTLY one;',
  OUTSIDE,
)
const broken = sql('3_broken', 'SELECT nothing;')
const LEFT = `SELECT (SELECT count(*)::int FROM lockstep.migrations) AS applied,
  (SELECT count(*)::int FROM lockstep.progress) AS progress, to_regclass('t') IS NULL AS gone`

describe('a request whose process was killed while it took its failed run back', () => {
  it.each(['DROP INDEX CONCURRENTLY two', 'DROP INDEX CONCURRENTLY one', 'DROP TABLE t'])(
    'goes on taking it back when it is delivered again, and is answered with its failure (killed at %s)',
    async (statement) => {
      const database = await createDatabase()
      const engine = engineFor(database)
      const request = { migrations: [table, indexes, broken], requestId: 'r-1' }
      await migrateUp(killedBefore(statement, engine), request)
      const second = await migrateUp(engine, request)
      expect(second).toMatchObject({
        status: 'failed',
        rolledBack: true,
        error: { code: 'MIGRATION_FAILED', migration: '3_broken', sqlState: '42703' },
      })
      expect(second.error?.message).toContain('column "nothing" does not exist')
      expect(await database.rows(LEFT)).toEqual([{ applied: 0, progress: 0, gone: true }])
      expect(await migrateUp(engine, request)).toMatchObject({ status: 'failed', runId: second.runId })
    },
  )

  it('takes back a run that had applied everything when it failed', async () => {
    const database = await createDatabase()
    const engine = engineFor(database)
    const unlocking = sql(
      '3_unlocking',
      'CREATE INDEX CONCURRENTLY three ON t (id);\nSELECT pg_advisory_unlock_all();',
      'DROP INDEX CONCURRENTLY three;',
      OUTSIDE,
    )
    const request = { migrations: [table, indexes, unlocking], requestId: 'r-1' }
    let connections = 0
    const connect = () => {
      connections += 1
      // The first gives up its lock, and the way back is gone on another one.
      return connections === 1 ? engine.connect() : killedBefore('DROP INDEX CONCURRENTLY three', engine).connect()
    }
    await migrateUp({ ...engine, connect }, request)
    expect(await migrateUp(engine, request)).toMatchObject({ status: 'failed', rolledBack: true })
    expect(await database.rows(LEFT)).toEqual([{ applied: 0, progress: 0, gone: true }])
  })

  it('knows which indexes of a half applied migration are left', async () => {
    const database = await createDatabase()
    const engine = engineFor(database)
    const half = sql(
      '2_indexes',
      'CREATE INDEX CONCURRENTLY one ON t (id);\nCREATE INDEX CONCURRENTLY two ON t (id);\nSELECT nothing;',
      undefined,
      OUTSIDE,
    )
    await migrateUp(killedBefore('DROP INDEX CONCURRENTLY public.one', engine), { migrations: [table, half] })
    const mended = {
      ...half,
      ...sql('2_indexes', half.up.blocks[0]?.text.replace('SELECT nothing', 'SELECT 1') ?? '', undefined, OUTSIDE),
    }
    expect(await migrateUp(engine, { migrations: [table, mended] })).toMatchObject({ status: 'succeeded' })
    expect(await database.rows("SELECT indexname FROM pg_indexes WHERE tablename = 't' ORDER BY 1")).toEqual([
      { indexname: 'one' },
      { indexname: 'two' },
    ])
  })
})

describe('a failed run with another one on top of it', () => {
  it('is not reverted beneath that', async () => {
    const database = await createDatabase()
    const engine = engineFor(database)
    const column = sql('2_column', 'ALTER TABLE t ADD COLUMN a int;', 'ALTER TABLE t DROP COLUMN a;')
    const request = { migrations: [table, column, broken], requestId: 'r-1' }
    await migrateUp({ ...engine, scope: 'migration', shouldPause: () => true }, request)
    await migrateUp(engine, { migrations: [table, column] })
    const result = await migrateUp(engine, request)
    expect(result).toMatchObject({ status: 'failed', rolledBack: false, applied: ['1_table'], reverted: [] })
    expect(result.error?.state).toContain('2_column was applied on top of 1_table by another run')
    expect(await database.rows("SELECT to_regclass('t')::text AS t")).toEqual([{ t: 't' }])
  })
})
