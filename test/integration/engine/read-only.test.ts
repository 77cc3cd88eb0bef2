import { randomUUID } from 'node:crypto'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startEmbeddedPostgres } from '../../../cli/embedded-postgres.ts'
import { endpointFromUrl } from '../../../lambda/adapters/endpoint.ts'
import { connect } from '../../../lambda/adapters/postgres.ts'
import { history, plan, status } from '../../../lambda/engine/inspect.ts'
import { migrateUp } from '../../../lambda/engine/run/migrate.ts'
import { health } from '../../../lambda/initialise.ts'
import { createDatabase, onServer } from '../../support/database.ts'
import { engineFor, sql } from '../../support/engine.ts'
import { lockstepFor } from '../../support/lockstep.ts'
import { reportThrownBy } from '../../support/report.ts'

const [table, other] = [sql('1_table', 'CREATE TABLE t (id int);'), sql('2_other', 'CREATE TABLE u (id int);')]

describe('a server that cannot be written to', () => {
  it('is refused as a replica, and can be looked at', { timeout: 60_000 }, async () => {
    const database = await createDatabase()
    const directory = await mkdtemp(join(tmpdir(), 'lockstep-replica-'))
    onTestFinished(() => rm(directory, { recursive: true, force: true }))
    const primary = await startEmbeddedPostgres({ directory, unsafe: true })
    const engineAt = (url: string) =>
      engineFor(database, {
        connect: () => connect({ endpoint: async () => endpointFromUrl(url), applicationName: 'test', budgetMs: 0 }),
      })
    await migrateUp(engineAt(primary.url), { migrations: [table] })
    await primary.stop()
    await writeFile(join(directory, 'data', 'standby.signal'), '')
    const replica = await startEmbeddedPostgres({ directory, unsafe: true })
    onTestFinished(() => replica.stop())
    const engine = engineAt(replica.url)
    const report = await reportThrownBy(() => migrateUp(engine, { migrations: [table, other] }))
    expect(report).toMatchObject({ code: 'CONFIG_INVALID', remedy: expect.stringContaining('writer') })
    expect(report.message).toBe(`The server at ${new URL(replica.url).host} is a read-only replica.`)
    expect(await status(engine, [table, other])).toMatchObject({ current: '1_table', pending: ['2_other'] })
    expect((await history(engine)).migrations).toMatchObject([{ id: '1_table' }])
    expect(await plan(engine, { migrations: [table, other], sql: true, snapshot: 'none' })).toMatchObject({
      steps: [{ id: '2_other' }],
    })
    await cp('migrations', join(directory, 'migrations'), { recursive: true })
    expect(await health(lockstepFor(replica.url, join(directory, 'migrations')), engine)).toMatchObject({
      database: 'postgres',
    })
  })

  it('is tried again for as long as connecting may take: a failover may be under way', async () => {
    const database = await createDatabase()
    const role = `role_${randomUUID().slice(0, 8)}`
    await onServer(`CREATE ROLE ${role} LOGIN SUPERUSER PASSWORD 'secret'`)
    onTestFinished(() => onServer(`DROP OWNED BY ${role}; DROP ROLE ${role}`))
    onTestFinished(async () => void (await database.rows(`DROP OWNED BY ${role} CASCADE`)))
    await onServer(`ALTER ROLE ${role} SET default_transaction_read_only = on`)
    const endpoint = async () => ({ ...(await database.endpoint()), user: role, password: 'secret' })
    const open = () => connect({ endpoint, applicationName: 'test', budgetMs: 0 })
    const atOnce = engineFor(database, { connect: open })
    expect(await reportThrownBy(() => migrateUp(atOnce, { migrations: [table] }))).toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('default_transaction_read_only is on'),
    })
    const patient = engineFor(database, { connect: open, connectTimeoutMs: 10_000 })
    const running = migrateUp(patient, { migrations: [table] })
    setTimeout(() => void onServer(`ALTER ROLE ${role} RESET default_transaction_read_only`), 700)
    expect(await running).toMatchObject({ status: 'succeeded' })
  })
})
