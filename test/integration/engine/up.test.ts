import { describe, expect, it } from 'vitest'
import { migrateDown, migrateUp } from '../../../lambda/engine/run/migrate.ts'
import type { MigrationFunction } from '../../../lambda/engine/migration/migration.ts'
import { createDatabase } from '../../support/database.ts'
import { code, engineFor, fileOf, sql } from '../../support/engine.ts'

const users = sql(
  '1_users',
  'CREATE TABLE users (id int PRIMARY KEY);\nINSERT INTO users VALUES (1), (2);',
  'DROP TABLE users;',
)
const orders = sql(
  '2_orders',
  'CREATE TABLE orders (id int PRIMARY KEY, user_id int REFERENCES users DEFERRABLE INITIALLY DEFERRED);',
  'DROP TABLE orders;',
)

const moveInSteps: MigrationFunction = async ({ batch }) => {
  await batch('UPDATE users SET id = id + 100 WHERE id IN (SELECT id FROM users WHERE id < 100 LIMIT $1)', { size: 1 })
}

describe('migrateUp', () => {
  it('applies what is pending, in order, and records it with its source', async () => {
    const database = await createDatabase()
    const result = await migrateUp(engineFor(database), { migrations: [orders, users] })
    expect(result).toMatchObject({ status: 'succeeded', applied: ['1_users', '2_orders'], current: '2_orders' })
    expect(
      await database.rows('SELECT id, position, parents, source, kind FROM lockstep.migrations ORDER BY position'),
    ).toEqual([
      { id: '1_users', position: 1, parents: [], source: users.source, kind: 'sql' },
      { id: '2_orders', position: 2, parents: ['1_users'], source: orders.source, kind: 'sql' },
    ])
    expect(await database.rows('SELECT status, action, to_heads FROM lockstep.runs')).toEqual([
      { status: 'succeeded', action: 'up', to_heads: ['2_orders'] },
    ])
  })

  it('does nothing, and writes nothing, when nothing is pending', async () => {
    const database = await createDatabase()
    const engine = engineFor(database)
    await migrateUp(engine, { migrations: [users] })
    const result = await migrateUp(engine, { migrations: [users] })
    expect(result).toMatchObject({ status: 'succeeded', applied: [], runId: null, current: '1_users' })
    expect(await database.rows('SELECT count(*)::int AS n FROM lockstep.runs')).toEqual([{ n: 1 }])
  })

  it('applies only what the target needs', async () => {
    const database = await createDatabase()
    const result = await migrateUp(engineFor(database), { migrations: [users, orders], to: '1_users' })
    expect(result.applied).toEqual(['1_users'])
  })

  it('rolls the whole run back when a later migration fails, with the line and a caret', async () => {
    const database = await createDatabase()
    const broken = sql(
      '3_broken',
      'CREATE TABLE a (id int);\nCREATE TABLE b (\n  id int REFERENCES nowhere\n);',
      'DROP TABLE b; DROP TABLE a;',
    )
    const result = await migrateUp(engineFor(database), { migrations: [users, orders, broken] })
    expect(result).toMatchObject({ status: 'failed', applied: [], rolledBack: true, current: null })
    expect(result.error).toMatchObject({ code: 'MIGRATION_FAILED', migration: '3_broken', sqlState: '42P01', line: 3 })
    expect(result.error?.message).toContain('relation "nowhere" does not exist')
    expect(result.error?.state).toContain('the database is as it was before')
    expect(
      await database.rows("SELECT to_regclass('users') AS users, (SELECT count(*)::int FROM lockstep.migrations) AS n"),
    ).toEqual([{ users: null, n: 0 }])
    expect(await database.rows('SELECT status, error ->> $$code$$ AS code FROM lockstep.runs')).toEqual([
      { status: 'failed', code: 'MIGRATION_FAILED' },
    ])
  })

  it('puts the caret under the place that PostgreSQL names', async () => {
    const database = await createDatabase()
    const broken = fileOf('1_broken', "-- migrate:up\nSELECT 'é';\n\nSELECT 1,\n  wrong + 1;\n")
    const result = await migrateUp(engineFor(database), { migrations: [broken] })
    expect(result.error).toMatchObject({
      line: 5,
      column: 3,
      excerpt: '3 | \n4 | SELECT 1,\n5 |   wrong + 1;\n  |   ^',
    })
  })

  it('begins every migration of a shared transaction as if alone', async () => {
    const database = await createDatabase()
    const migrations = [
      users,
      orders,
      sql(
        '3_dump',
        "SELECT pg_catalog.set_config('search_path', '', false); SET statement_timeout = 500; SET ROLE pg_monitor; SET standard_conforming_strings = off;",
      ),
      sql('4_insert', 'INSERT INTO orders VALUES (1, 1); SELECT pg_sleep(0.6);'),
      // ALTER TABLE refuses a table with pending trigger events: the deferred foreign key must have fired.
      sql(
        '5_alter',
        "ALTER TABLE orders ADD COLUMN note text DEFAULT 'a\\nb'; CREATE TABLE later (id int UNIQUE DEFERRABLE INITIALLY DEFERRED);",
      ),
      sql('6_swap', 'INSERT INTO later VALUES (1), (2); UPDATE later SET id = 3 - id;'),
    ]
    const result = await migrateUp(engineFor(database), { migrations })
    expect(result.error).toBeUndefined()
    expect(await database.rows('SELECT note, (SELECT count(*)::int FROM later) AS n FROM orders')).toEqual([
      { note: 'a\\nb', n: 2 },
    ])
  })

  it('fails the migration whose deferred constraint does not hold', async () => {
    const database = await createDatabase()
    const migrations = [
      users,
      orders,
      sql('3_orphan', 'INSERT INTO orders VALUES (1, 99);'),
      sql('4_fine', 'SELECT 1;'),
    ]
    const result = await migrateUp(engineFor(database), { migrations })
    expect(result.error).toMatchObject({ migration: '3_orphan', sqlState: '23503' })
    expect(result.rolledBack).toBe(true)
  })

  it('commits before a new enum value is used', async () => {
    const database = await createDatabase()
    const migrations = [
      sql('1_enum', "CREATE TYPE mood AS ENUM ('sad'); CREATE TABLE person (mood mood);"),
      sql('2_use', "INSERT INTO person VALUES ('sad');"),
      sql('3_add', "ALTER TYPE mood ADD VALUE 'happy';"),
      sql('4_use', "INSERT INTO person VALUES ('happy');"),
    ]
    const engine = engineFor(database)
    await migrateUp(engine, { migrations, to: '1_enum' })
    const result = await migrateUp(engine, { migrations })
    expect(result).toMatchObject({ status: 'succeeded', applied: ['2_use', '3_add', '4_use'] })
  })

  it('runs SET TRANSACTION first in a transaction of its own', async () => {
    const database = await createDatabase()
    const migrations = [
      users,
      sql('2_serial', 'SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; DELETE FROM users;'),
      orders,
    ]
    const ordered = [users, migrations[1] ?? users, sql('3_after', 'SELECT 1;')]
    expect(await migrateUp(engineFor(database), { migrations: ordered })).toMatchObject({ status: 'succeeded' })
  })

  it('leaves out a BEGIN and COMMIT around the whole file', async () => {
    const database = await createDatabase()
    const wrapped = sql('2_wrapped', 'BEGIN;\nCREATE TABLE t (id int);\nCOMMIT;', 'BEGIN; DROP TABLE t; END;')
    const engine = engineFor(database)
    const broken = sql('3_broken', 'SELECT nothing;')
    expect(await migrateUp(engine, { migrations: [users, wrapped, broken] })).toMatchObject({ rolledBack: true })
    expect(await migrateUp(engine, { migrations: [users, wrapped] })).toMatchObject({ status: 'succeeded' })
    expect(await migrateDown(engine, { migrations: [users, wrapped], target: { kind: 'base' } })).toMatchObject({
      status: 'succeeded',
    })
  })

  it('runs TypeScript migrations in the same transaction', async () => {
    const database = await createDatabase()
    const fill = code('2_fill', {
      up: async ({ query }) => {
        const rows = await query<{ n: number }>('SELECT count(*)::int AS n FROM users')
        await query('INSERT INTO users VALUES ($1)', [(rows[0]?.n ?? 0) + 40])
      },
    })
    const failing = code('3_fails', { up: () => Promise.reject(new Error('no luck')) })
    const engine = engineFor(database)
    const first = await migrateUp(engine, { migrations: [users, fill, failing] })
    expect(first).toMatchObject({ rolledBack: true, error: { code: 'MIGRATION_FAILED', migration: '3_fails' } })
    expect(first.error?.message).toBe('3_fails.ts: no luck.')
    await migrateUp(engine, { migrations: [users, fill] })
    expect(await database.rows('SELECT max(id) AS id FROM users')).toEqual([{ id: 42 }])
  })

  it('commits every step of a backfill, and only outside of a transaction', async () => {
    const database = await createDatabase()
    const engine = engineFor(database)
    const refused = await migrateUp(engine, { migrations: [users, code('2_batch', { up: moveInSteps })] })
    expect(refused.error).toMatchObject({ code: 'MIGRATION_INVALID', migration: '2_batch' })
    await migrateUp(engine, { migrations: [users, code('2_batch', { up: moveInSteps, transaction: false })] })
    expect(await database.rows('SELECT array_agg(id ORDER BY id) AS ids FROM users')).toEqual([{ ids: [101, 102] }])
  })
})
