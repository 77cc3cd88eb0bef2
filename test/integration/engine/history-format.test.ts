import { randomUUID } from 'node:crypto'
import { describe, expect, it, onTestFinished } from 'vitest'
import { connect } from '../../../lambda/adapters/postgres.ts'
import { status } from '../../../lambda/engine/inspect.ts'
import { migrateUp } from '../../../lambda/engine/run/migrate.ts'
import { createDatabase, onServer } from '../../support/database.ts'
import { engineFor, sql } from '../../support/engine.ts'
import { reportThrownBy } from '../../support/report.ts'

const [table, other] = [sql('1_table', 'CREATE TABLE t (id int);'), sql('2_other', 'CREATE TABLE u (id int);')]

describe('the history', () => {
  it('is refused when a later version has written it, before anything is touched', async () => {
    const database = await createDatabase()
    const engine = engineFor(database)
    await migrateUp(engine, { migrations: [table] })
    await database.rows(`COMMENT ON TABLE ${engine.schema}.migrations IS 'One row for every migration. Format 2.'`)
    const report = await reportThrownBy(() => migrateUp(engine, { migrations: [table, other] }))
    expect(report).toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(
        /of a later version of Lockstep: its format is 2, and this version, .*, knows up to 1/,
      ),
      state: 'The database has not been touched.',
    })
    expect((await reportThrownBy(() => status(engine, [table]))).message).toBe(report.message)
    expect(await database.rows(`SELECT to_regclass('u') AS found`)).toEqual([{ found: null }])
  })

  it('is read when its comment says nothing of a format', async () => {
    const database = await createDatabase()
    const engine = engineFor(database)
    await migrateUp(engine, { migrations: [table] })
    await database.rows(`COMMENT ON TABLE ${engine.schema}.migrations IS NULL`)
    expect(await migrateUp(engine, { migrations: [table, other] })).toMatchObject({ status: 'succeeded' })
  })

  it('is made in a schema that somebody else owns', async () => {
    const database = await createDatabase()
    const role = `role_${randomUUID().slice(0, 8)}`
    await onServer(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`)
    onTestFinished(() => onServer(`DROP ROLE ${role}`))
    onTestFinished(async () => void (await database.rows(`DROP OWNED BY ${role}`)))
    await database.rows(`CREATE SCHEMA lockstep; GRANT USAGE, CREATE ON SCHEMA lockstep, public TO ${role}`)
    const endpoint = async () => ({ ...(await database.endpoint()), user: role, password: 'secret' })
    const engine = engineFor(database, { connect: () => connect({ endpoint, applicationName: 'test', budgetMs: 0 }) })
    expect(await migrateUp(engine, { migrations: [table] })).toMatchObject({ status: 'succeeded' })
  })
})
