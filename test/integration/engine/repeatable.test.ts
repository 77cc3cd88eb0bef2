import { describe, expect, test } from 'vitest'
import type { EngineContext } from '../../../lambda/engine/context.ts'
import { deploy, type DeployRequest } from '../../../lambda/engine/deployment/deploy.ts'
import { plan, status } from '../../../lambda/engine/inspect.ts'
import { migrateDown, migrateUp } from '../../../lambda/engine/run/migrate.ts'
import type { Migration } from '../../../lambda/engine/migration/migration.ts'
import { createDatabase, type TestDatabase } from '../../support/database.ts'
import { engineFor, repeatable, sql } from '../../support/engine.ts'

const USERS = sql('1', 'CREATE TABLE users (id int, name text);', 'DROP TABLE users;')
const EMAIL = sql('2', 'ALTER TABLE users ADD COLUMN email text;', 'ALTER TABLE users DROP COLUMN email;')
const NAMES = repeatable('a_names', 'DROP VIEW IF EXISTS names;\nCREATE VIEW names AS SELECT name FROM users;')
const NAMES_AND_EMAILS = repeatable(
  'a_names',
  'DROP VIEW IF EXISTS names;\nCREATE VIEW names AS SELECT name, email FROM users;',
)
const COUNT = repeatable(
  'b_count',
  '-- migrate:up\nCREATE OR REPLACE FUNCTION how_many() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM names $$;\n-- migrate:down\nDROP FUNCTION how_many;',
)

async function migrated(migrations: readonly Migration[], overrides: Partial<EngineContext> = {}) {
  const database = await createDatabase()
  const engine = engineFor(database, overrides)
  const run = await migrateUp(engine, { migrations })
  return { database, engine, run }
}

async function columnsOf(database: TestDatabase): Promise<string> {
  const rows = await database.rows(
    `SELECT string_agg(attname, ', ' ORDER BY attnum) AS columns FROM pg_attribute WHERE attrelid = to_regclass('names') AND attnum > 0`,
  )
  return String(rows[0]?.columns)
}

const historyOf = async (database: TestDatabase): Promise<readonly string[]> =>
  (await database.rows('SELECT id, kind FROM lockstep.migrations ORDER BY position')).map(
    ({ id, kind }) => `${String(id)} ${String(kind)}`,
  )

describe('a repeatable', () => {
  test('is applied after all migrations, in order, and again when its text changes', async () => {
    const { database, engine, run } = await migrated([COUNT, NAMES, USERS])
    expect(run).toMatchObject({ applied: ['1', 'repeatable/a_names#1', 'repeatable/b_count#1'], current: '1' })
    expect(await migrateUp(engine, { migrations: [USERS, NAMES, COUNT] })).toMatchObject({ applied: [], runId: null })
    const changed = [USERS, EMAIL, NAMES_AND_EMAILS, COUNT]
    expect(await status(engine, changed)).toMatchObject({
      pending: ['2'],
      repeatables: ['repeatable/a_names'],
      applied: 1,
      upToDate: false,
    })
    const request = { migrations: changed, sql: false, snapshot: 'none' } as const
    expect((await plan(engine, request)).steps).toMatchObject([
      { id: '2', kind: 'sql', segment: 1 },
      { id: 'repeatable/a_names#2', kind: 'repeatable', segment: 1 },
    ])
    expect(await migrateUp(engine, { migrations: changed })).toMatchObject({ applied: ['2', 'repeatable/a_names#2'] })
    expect(await columnsOf(database)).toBe('name, email')
    expect(await historyOf(database)).toEqual([
      '1 sql',
      'repeatable/a_names#1 repeatable',
      'repeatable/b_count#1 repeatable',
      '2 sql',
      'repeatable/a_names#2 repeatable',
    ])
    expect(await status(engine, changed)).toMatchObject({ current: '2', repeatables: [], upToDate: true })
  })

  test('is put back to the text before when what it stands on is reverted', async () => {
    const { database, engine } = await migrated([USERS, NAMES, COUNT])
    await migrateUp(engine, { migrations: [USERS, EMAIL, NAMES_AND_EMAILS, COUNT] })
    const files = [USERS, EMAIL, NAMES_AND_EMAILS, COUNT]
    expect(await migrateDown(engine, { migrations: files, target: { kind: 'steps', steps: 1 } })).toMatchObject({
      reverted: ['repeatable/a_names#2', '2'],
      current: '1',
    })
    expect(await columnsOf(database)).toBe('name')
    expect(await migrateUp(engine, { migrations: files })).toMatchObject({ applied: ['2', 'repeatable/a_names#2'] })
    // The first text of one has a down of its own, or stays: this view keeps its table.
    expect(await migrateDown(engine, { migrations: files, target: { kind: 'base' } })).toMatchObject({
      status: 'failed',
      rolledBack: true,
      error: { migration: '1', sqlState: '2BP01' },
    })
    const dropping = repeatable('a_names', `-- migrate:up\n${NAMES.source}\n-- migrate:down\nDROP VIEW names;`)
    const other = await migrated([USERS, dropping, COUNT])
    expect(
      await migrateDown(other.engine, { migrations: [USERS, dropping, COUNT], target: { kind: 'base' } }),
    ).toMatchObject({ status: 'succeeded', current: null })
    expect(await historyOf(other.database)).toEqual([])
  })

  test('that fails takes back what its run has committed', async () => {
    const { database, engine } = await migrated([USERS, NAMES, COUNT], { scope: 'migration' })
    const wrong = repeatable('b_count', 'SELECT nothing;')
    expect(await migrateUp(engine, { migrations: [USERS, EMAIL, NAMES_AND_EMAILS, wrong] })).toMatchObject({
      status: 'failed',
      rolledBack: true,
      error: { migration: 'repeatable/b_count#2', file: 'repeatable/b_count.sql', line: 1 },
    })
    expect(await columnsOf(database)).toBe('name')
    expect(await historyOf(database)).toHaveLength(3)
  })

  test('waits while migrations are left out, and while the database is ahead', async () => {
    const { engine } = await migrated([USERS, NAMES])
    const files = [USERS, EMAIL, NAMES_AND_EMAILS]
    expect(await migrateUp(engine, { migrations: files, to: '1' })).toMatchObject({ applied: [] })
    await migrateUp(engine, { migrations: files })
    expect(await migrateUp(engine, { migrations: [USERS, NAMES], whenAhead: 'keep' })).toMatchObject({ applied: [] })
  })

  test.each([
    ['-- migrate:up transaction:false\nSELECT 1;', 'a repeatable runs in a transaction.'],
    ['-- lockstep:irreversible no\nSELECT 1;', 'lockstep:irreversible says nothing of a repeatable.'],
  ])('is refused: %j', (text, message) => {
    expect(() => repeatable('a', text)).toThrow(message)
  })
})

const request = (
  migrations: readonly Migration[],
  target: string,
  previousTarget: string | null,
  status: string | null = null,
): DeployRequest => ({
  migrations,
  target,
  previousTarget,
  resource: 'stack/resource',
  onRollback: 'revert',
  requestId: `${target} after ${previousTarget}`,
  stackStatus: async () => status,
})

describe('the rollback of a deployment', () => {
  test('puts back the texts that it changed, by old code, before it reverts what they stand on', async () => {
    const database = await createDatabase()
    const engine = engineFor(database, { trigger: 'deployment' })
    await deploy(engine, request([USERS, NAMES], 'v1', null))
    await deploy(engine, request([USERS, EMAIL, NAMES_AND_EMAILS, COUNT], 'v2', 'v1'))
    expect(await deploy(engine, request([USERS, NAMES], 'v1', 'v2'))).toMatchObject({
      status: 'succeeded',
      action: 'down',
      reverted: ['repeatable/b_count#1', 'repeatable/a_names#2', '2'],
    })
    expect(await columnsOf(database)).toBe('name')
    expect(await status(engine, [USERS, NAMES])).toMatchObject({ upToDate: true })
    expect(await database.rows(`SELECT to_regproc('how_many') AS f`)).toEqual([{ f: null }])
  })

  test('puts back a text alone, and takes a new text for what it is', async () => {
    const database = await createDatabase()
    const engine = engineFor(database, { trigger: 'deployment' })
    await deploy(engine, request([USERS, EMAIL, NAMES], 'v1', null))
    await deploy(engine, request([USERS, EMAIL, NAMES_AND_EMAILS], 'v2', 'v1'))
    const third = repeatable('a_names', 'DROP VIEW names; CREATE VIEW names AS SELECT id FROM users')
    expect(await deploy(engine, request([USERS, EMAIL, third], 'v3', 'v2'))).toMatchObject({
      action: 'up',
      applied: ['repeatable/a_names#3'],
    })
    expect(
      await deploy(engine, request([USERS, EMAIL, NAMES_AND_EMAILS], 'v2', 'v3', 'UPDATE_ROLLBACK_IN_PROGRESS')),
    ).toMatchObject({ action: 'down', reverted: ['repeatable/a_names#3'] })
    expect(await columnsOf(database)).toBe('name, email')
  })
})
