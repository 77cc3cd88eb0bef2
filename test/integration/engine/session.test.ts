import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { connect } from '../../../lambda/adapters/postgres.ts'
import { deploy } from '../../../lambda/engine/deployment/deploy.ts'
import { history } from '../../../lambda/engine/inspect.ts'
import { migrateUp } from '../../../lambda/engine/run/migrate.ts'
import { createDatabase, onServer, type TestDatabase } from '../../support/database.ts'
import { code, engineFor, fileOf, sql } from '../../support/engine.ts'
import { reportThrownBy } from '../../support/report.ts'

/** A role of the test's own, that owns the database and is no superuser. */
async function ownedByRole(): Promise<{ readonly database: TestDatabase; readonly role: string }> {
  const database = await createDatabase()
  const role = `role_${randomUUID().slice(0, 8)}`
  await onServer(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`)
  onTestFinished(() => onServer(`DROP ROLE ${role}`))
  await onServer(`ALTER DATABASE ${database.name} OWNER TO ${role}`)
  onTestFinished(async () => void (await database.rows(`REASSIGN OWNED BY ${role} TO postgres`)))
  return { database, role }
}

function engineAs({ database, role }: { readonly database: TestDatabase; readonly role: string }) {
  const endpoint = async () => ({ ...(await database.endpoint()), user: role, password: 'secret' })
  return engineFor(database, { connect: () => connect({ endpoint, applicationName: 'role', budgetMs: 0 }) })
}

describe('a run', () => {
  it('is not stopped by deferrable constraints in schemas that are not its own', async () => {
    const owned = await ownedByRole()
    await owned.database.rows('CREATE SCHEMA other; CREATE TABLE other.t (id int UNIQUE DEFERRABLE)')
    expect(
      await migrateUp(engineAs(owned), { migrations: [sql('1_a', 'CREATE TABLE a (id int UNIQUE DEFERRABLE);')] }),
    ).toMatchObject({ status: 'succeeded' })
    await owned.database.rows(`DROP TABLE a; DROP SCHEMA lockstep CASCADE`)
  })

  it('says which privilege is missing', async () => {
    const owned = await ownedByRole()
    await owned.database.rows(
      `CREATE SCHEMA lockstep; REVOKE CREATE ON DATABASE ${owned.database.name} FROM ${owned.role}`,
    )
    const report = await reportThrownBy(() => migrateUp(engineAs(owned), { migrations: [sql('1_a', 'SELECT 1;')] }))
    expect(report).toMatchObject({
      code: 'CONFIG_INVALID',
      sqlState: '42501',
      remedy: expect.stringContaining('CREATE on the database'),
    })
  })

  it('takes an error that only looks like a lost connection for what it is', async () => {
    const database = await createDatabase()
    const engine = engineFor(database)
    const raising = sql(
      '1_remote',
      "DO $$ BEGIN RAISE EXCEPTION 'could not connect to server' USING errcode = '08001'; END $$;",
    )
    expect(await migrateUp(engine, { migrations: [raising] })).toMatchObject({
      rolledBack: true,
      error: { code: 'MIGRATION_FAILED', sqlState: '08001' },
    })
    const circular: unknown[] = []
    circular.push({ circular })
    const wrong = code('1_wrong', { up: async ({ query }) => void (await query('SELECT $1::jsonb', circular)) })
    expect(await migrateUp(engine, { migrations: [wrong] })).toMatchObject({
      rolledBack: true,
      error: { migration: '1_wrong' },
    })
    const none = code('1_none', { up: async ({ query }) => void (await query(undefined as unknown as string)) })
    expect(await migrateUp(engine, { migrations: [none] })).toMatchObject({
      rolledBack: true,
      error: { migration: '1_none' },
    })
  })

  it('sets a migration’s own timeouts before SET TRANSACTION', async () => {
    const database = await createDatabase()
    const serial = fileOf(
      '1_serial',
      '-- lockstep:lock-timeout 2s\n-- migrate:up\nSET TRANSACTION ISOLATION LEVEL SERIALIZABLE;\nSELECT 1;',
    )
    expect(await migrateUp(engineFor(database), { migrations: [serial] })).toMatchObject({ status: 'succeeded' })
  })

  it('says in one line what hundreds of migrations have come to', async () => {
    const database = await createDatabase()
    const many = Array.from({ length: 300 }, (_, index) => sql(`${index + 1}_step`, 'SELECT 1;'))
    const last = sql('900_broken', 'SELECT nothing;')
    const result = await migrateUp(engineFor(database, { scope: 'migration' }), { migrations: [...many, last] })
    expect(result.error?.state).toMatch(/^The database is at 300_step\. .*300 migrations, 1_step … 300_step\.$/)
    expect(result.error?.state.length).toBeLessThan(300)
  })

  it('is not ended by what the role sets to end sessions, and reads its history in whatever way that writes dates', async () => {
    const owned = await ownedByRole()
    const hostile = {
      idle_session_timeout: '500ms',
      idle_in_transaction_session_timeout: '500ms',
      transaction_timeout: '500ms',
      statement_timeout: '500ms',
      datestyle: 'SQL, DMY',
      intervalstyle: 'sql_standard',
      bytea_output: 'escape',
    }
    for (const [name, value] of Object.entries(hostile))
      await onServer(`ALTER ROLE ${owned.role} SET ${name} = '${value}'`)
    const began = Date.now()
    const slow = code('1_slow', {
      up: async ({ query }) => {
        await query(`CREATE TABLE t AS SELECT '26/11/2026'::date AS day FROM pg_sleep(1)`)
        await setTimeout(1000)
      },
    })
    const engine = engineAs(owned)
    expect(await migrateUp(engine, { migrations: [slow], takeSnapshot: () => setTimeout(1000, null) })).toMatchObject({
      status: 'succeeded',
    })
    const { migrations } = await history(engine)
    expect(new Date(migrations[0]?.appliedAt ?? 0).getTime()).toBeGreaterThanOrEqual(began)
    expect(await owned.database.rows('SELECT day::text FROM t')).toEqual([{ day: '2026-11-26' }])
  })
})

describe('a rollback', () => {
  it('keeps the database when others were applied on top of what it would take back', async () => {
    const database = await createDatabase()
    const engine = engineFor(database, { trigger: 'deployment' })
    const request = { resource: 'stack/resource', onRollback: 'revert', stackStatus: async () => null } as const
    const [a, b] = [
      sql('1_a', 'CREATE TABLE a (id int);', 'DROP TABLE a;'),
      sql('2_b', 'CREATE TABLE b (id int);', 'DROP TABLE b CASCADE;'),
    ]
    const hotfix = sql('3_hotfix', 'CREATE VIEW v AS SELECT * FROM b;', 'DROP VIEW v;')
    await deploy(engine, { ...request, migrations: [a], target: 'v1', previousTarget: null })
    await deploy(engine, { ...request, migrations: [a, b], target: 'v2', previousTarget: 'v1' })
    await migrateUp(engine, { migrations: [a, b, hotfix] })
    const result = await deploy(engine, { ...request, migrations: [a], target: 'v1', previousTarget: 'v2' })
    expect(result).toMatchObject({ status: 'succeeded', reverted: [], current: '3_hotfix' })
    expect(result.warnings[0]).toContain('other migrations were applied after it')
  })
})
