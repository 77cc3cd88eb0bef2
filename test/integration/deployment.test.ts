import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import type { CustomResourceEvent } from '../../lambda/custom-resource-event.ts'
import { onEvent } from '../../lambda/custom-resource.ts'
import { readMigrationBundle } from '../../lambda/engine/migration/migration-bundle.ts'
import { checksumOf } from '../../lambda/engine/migration/migration-directory.ts'
import type { Lockstep } from '../../lambda/lockstep.ts'
import type { Config } from '../../lambda/config.ts'
import { ConnectionLostError, type Connection } from '../../lambda/engine/database.ts'
import { createDatabase, type TestDatabase } from '../support/database.ts'
import { lockstepFor } from '../support/lockstep.ts'
import { writeFiles } from '../support/source-files.ts'

const UNREACHABLE = 'postgres://nobody@127.0.0.1:1/nowhere'
const ONE = { '1_a.sql': '-- migrate:up\nCREATE TABLE a (id int);\n-- migrate:down\nDROP TABLE a;\n' }
const TWO = { ...ONE, '2_b.sql': '-- migrate:up\nCREATE TABLE b (id int);\n-- migrate:down\nDROP TABLE b;\n' }
const BROKEN = { ...ONE, '2_x.sql': '-- migrate:up\nSELECT nothing;\n' }
let requests = 0

function properties(migrations: string): Readonly<Record<string, string>> {
  return { set: 'default', migrations, settings: 's', heads: '' }
}

function event(type: CustomResourceEvent['RequestType'], target: string, old?: string): CustomResourceEvent {
  requests += 1
  return {
    RequestType: type,
    RequestId: `request-${requests}`,
    StackId: 'stack',
    LogicalResourceId: 'Migration',
    PhysicalResourceId: 'lockstep:default',
    ResourceProperties: properties(target),
    ...(old === undefined ? {} : { OldResourceProperties: properties(old) }),
  }
}

interface Stage {
  readonly database: TestDatabase
  /** The function with these files, as CloudFormation says that the stack is. */
  readonly code: (
    files: Readonly<Record<string, string>>,
    status?: string | null,
    url?: string,
    config?: Partial<Config>,
  ) => Promise<Lockstep>
}

async function stage(): Promise<Stage> {
  const database = await createDatabase()
  const store = await writeFiles({})
  return {
    database,
    code: async (files, status = null, url = database.url, config = {}) => {
      const snapshots = { location: store, kmsKeyId: null }
      const lockstep = lockstepFor(url, await writeFiles(files), { snapshots, ...config })
      return { ...lockstep, stackStatus: async () => status }
    },
  }
}

const ROLLING_BACK = 'UPDATE_ROLLBACK_IN_PROGRESS'

describe('a rollback while the database cannot be reached', () => {
  it.each([ROLLING_BACK, null])('succeeds when the deployment never touched it (%s)', async (status) => {
    const { code } = await stage()
    await onEvent(await code(ONE), event('Create', 'v1'))
    await expect(onEvent(await code(TWO, null, UNREACHABLE), event('Update', 'v2', 'v1'))).rejects.toThrow(
      'ECONNREFUSED',
    )
    const answer = await onEvent(await code(ONE, status, UNREACHABLE), event('Update', 'v1', 'v2'))
    expect(answer).toMatchObject({ PhysicalResourceId: 'lockstep:default', Data: { Status: 'unreachable' } })
  })

  it.each([ROLLING_BACK, null])('succeeds when the deployment had failed and was rolled back (%s)', async (status) => {
    const { code } = await stage()
    await onEvent(await code(ONE), event('Create', 'v1'))
    await expect(onEvent(await code(BROKEN), event('Update', 'v2', 'v1'))).rejects.toThrow('nothing')
    const answer = await onEvent(await code(ONE, status, UNREACHABLE), event('Update', 'v1', 'v2'))
    expect(answer.Data).toMatchObject({ Status: 'unreachable' })
  })

  it('succeeds, too, when what keeps it from beginning is something else', async () => {
    const { code, database } = await stage()
    await onEvent(await code(ONE), event('Create', 'v1'))
    await database.rows(
      'ALTER ROLE CURRENT_USER IN DATABASE "' + database.name + '" SET default_transaction_read_only = on',
    )
    const readOnly = { report: { code: 'CONFIG_INVALID' } }
    await expect(onEvent(await code(TWO), event('Update', 'v2', 'v1'))).rejects.toMatchObject(readOnly)
    const answer = await onEvent(await code(ONE, ROLLING_BACK), event('Update', 'v1', 'v2'))
    expect(answer.Data).toMatchObject({ Status: 'untouched' })
  })

  it('succeeds when the connection is lost before it has found anything to do', async () => {
    const { code } = await stage()
    await onEvent(await code(ONE), event('Create', 'v1'))
    await expect(onEvent(await code(TWO, null, UNREACHABLE), event('Update', 'v2', 'v1'))).rejects.toThrow(
      'ECONNREFUSED',
    )
    const old = await code(ONE, ROLLING_BACK)
    const cut = async (): Promise<Connection> => {
      const connection = await old.connect()
      const execute: Connection['execute'] = (sql) =>
        sql.includes('.migrations WHERE') ? Promise.reject(new ConnectionLostError('cut')) : connection.execute(sql)
      return { ...connection, execute }
    }
    const answer = await onEvent({ ...old, connect: cut }, event('Update', 'v1', 'v2'))
    expect(answer.Data).toMatchObject({ Status: 'untouched' })
  })

  it.each([ROLLING_BACK, null])('fails when something was applied, and succeeds later (%s)', async (status) => {
    const { code, database } = await stage()
    await onEvent(await code(ONE), event('Create', 'v1'))
    await onEvent(await code(TWO), event('Update', 'v2', 'v1'))
    await expect(onEvent(await code(ONE, status, UNREACHABLE), event('Update', 'v1', 'v2'))).rejects.toThrow(
      'ECONNREFUSED',
    )
    const answer = await onEvent(await code(ONE, status), event('Update', 'v1', 'v2'))
    expect(answer.Data).toMatchObject({ Reverted: '1', Current: '1_a' })
    expect(await database.rows("SELECT to_regclass('b') AS b")).toEqual([{ b: null }])
  })

  it('does not make the next deployment look like one', async () => {
    const { code } = await stage()
    await onEvent(await code(ONE), event('Create', 'v1'))
    await expect(onEvent(await code(TWO, null, UNREACHABLE), event('Update', 'v2', 'v1'))).rejects.toThrow(
      'ECONNREFUSED',
    )
    await onEvent(await code(ONE, null, UNREACHABLE), event('Update', 'v1', 'v2'))
    await expect(onEvent(await code(TWO, null, UNREACHABLE), event('Update', 'v2', 'v1'))).rejects.toThrow(
      'ECONNREFUSED',
    )
    expect((await onEvent(await code(TWO), event('Update', 'v2', 'v1'))).Data).toMatchObject({ Applied: '1' })
  })

  it('is not taken for one when it goes forward', async () => {
    const { code } = await stage()
    await onEvent(await code(ONE), event('Create', 'v1'))
    for (const status of ['UPDATE_IN_PROGRESS', null]) {
      await expect(onEvent(await code(TWO, status, UNREACHABLE), event('Update', 'v2', 'v1'))).rejects.toThrow(
        'ECONNREFUSED',
      )
    }
  })
})

describe('with automatic application switched off', () => {
  const OFF = { autoApply: false }

  it.each([ROLLING_BACK, null])(
    'a rollback still takes back what the failed deployment applied (%s)',
    async (status) => {
      const { code, database } = await stage()
      await onEvent(await code(ONE), event('Create', 'v1'))
      await onEvent(await code(TWO), event('Update', 'v2', 'v1'))
      const answer = await onEvent(await code(ONE, status, database.url, OFF), event('Update', 'v1', 'v2'))
      expect(answer.Data).toMatchObject({ Reverted: '1', Current: '1_a' })
      expect(await database.rows("SELECT to_regclass('b') AS b")).toEqual([{ b: null }])
    },
  )

  it.each([ROLLING_BACK, null])('a rollback applies nothing of its own (%s)', async (status) => {
    const { code, database } = await stage()
    await onEvent(await code(ONE), event('Create', 'v1'))
    const answer = await onEvent(await code(TWO, status, database.url, OFF), event('Update', 'v2', 'v3'))
    expect(answer.Data).toMatchObject({ Applied: '0', Current: '1_a' })
    expect(await database.rows("SELECT to_regclass('b') AS b")).toEqual([{ b: null }])
  })

  it('a rollback succeeds while the database cannot be reached', async () => {
    const { code } = await stage()
    await onEvent(await code(ONE), event('Create', 'v1'))
    const answer = await onEvent(await code(ONE, ROLLING_BACK, UNREACHABLE, OFF), event('Update', 'v1', 'v2'))
    expect(answer.Data).toMatchObject({ Status: 'unreachable' })
  })

  it.each(['UPDATE_IN_PROGRESS', null])('a deployment says what is pending (%s)', async (status) => {
    const { code, database } = await stage()
    await onEvent(await code(ONE), event('Create', 'v1'))
    const forward = await code(TWO, status, database.url, OFF)
    expect((await onEvent(forward, event('Update', 'v2', 'v1'))).Data).toMatchObject({
      Status: 'pending',
      Pending: '1',
    })
  })
})

describe('a TypeScript migration', () => {
  const SOURCE =
    "import { drop } from './helper.ts'\nexport const up = (c) => c.query('CREATE TABLE t (id int)')\nexport const down = (c) => c.query(drop)\n"
  const COMPILED =
    "const drop = 'DROP TABLE t'\nexport const up = (c) => c.query('CREATE TABLE t (id int)')\nexport const down = (c) => c.query(drop)\n"

  async function bundled({ code }: Stage): Promise<Lockstep> {
    const lockstep = await code({})
    const entry = {
      id: '2_t',
      kind: 'ts',
      checksum: checksumOf(SOURCE),
      parents: [],
      file: '2_t.ts',
      module: '2_t.mjs',
    }
    const directory = await writeFiles({
      '2_t.ts': SOURCE,
      '2_t.mjs': COMPILED,
      'manifest.json': JSON.stringify({ version: 1, migrations: [entry] }),
    })
    return { ...lockstep, readMigrations: () => readMigrationBundle(directory) }
  }

  it('is reverted by old code from the archive, with what it had imported', async () => {
    const stages = await stage()
    await onEvent(await stages.code({}), event('Create', 'v1'))
    await onEvent(await bundled(stages), event('Update', 'v2', 'v1'))
    expect(await stages.database.rows("SELECT to_regclass('t')::text AS t")).toEqual([{ t: 't' }])
    const answer = await onEvent(await stages.code({}, ROLLING_BACK), event('Update', 'v1', 'v2'))
    expect(answer.Data).toMatchObject({ Reverted: '1' })
    expect(await stages.database.rows("SELECT to_regclass('t') AS t")).toEqual([{ t: null }])
  })

  it('is kept, with a warning, when its archived code is not what it was', async () => {
    const stages = await stage()
    await onEvent(await stages.code({}), event('Create', 'v1'))
    await onEvent(await bundled(stages), event('Update', 'v2', 'v1'))
    const { store } = (await stages.code({})).snapshots()
    const [archived = ''] = await store.list('archive/')
    await store.write(archived, Readable.from([Buffer.from('export const up = 1')], { objectMode: false }))
    const answer = await onEvent(await stages.code({}, ROLLING_BACK), event('Update', 'v1', 'v2'))
    expect(answer.Data).toMatchObject({ Reverted: '0', Current: '2_t' })
  })
})

describe('a Delete', () => {
  it('reverts what the creation applied when CloudFormation says that the stack is rolling back', async () => {
    const { code, database } = await stage()
    await database.rows('CREATE TABLE before (id int)')
    await onEvent(await code(TWO), event('Create', 'v1'))
    await onEvent(await code(TWO, 'ROLLBACK_IN_PROGRESS'), event('Delete', 'v1'))
    expect(
      await database.rows("SELECT to_regclass('a') AS a, to_regclass('b') AS b, to_regclass('before')::text AS before"),
    ).toEqual([{ a: null, b: null, before: 'before' }])
  })

  it.each(['DELETE_IN_PROGRESS', null])('keeps the database otherwise (%s)', async (status) => {
    const { code, database } = await stage()
    await onEvent(await code(ONE), event('Create', 'v1'))
    await onEvent(await code(ONE, status), event('Delete', 'v1'))
    expect(await database.rows("SELECT to_regclass('a')::text AS a")).toEqual([{ a: 'a' }])
  })

  it('keeps what was deployed after the creation', async () => {
    const { code, database } = await stage()
    await onEvent(await code(ONE), event('Create', 'v1'))
    await onEvent(await code(TWO), event('Update', 'v2', 'v1'))
    await onEvent(await code(TWO, ROLLING_BACK), event('Delete', 'v2'))
    expect(await database.rows('SELECT count(*)::int AS n FROM lockstep.migrations')).toEqual([{ n: 2 }])
  })

  it('succeeds also when the database cannot be reached: a failure would strand the stack', async () => {
    const { code } = await stage()
    const answer = await onEvent(await code(ONE, 'ROLLBACK_IN_PROGRESS', UNREACHABLE), event('Delete', 'v1'))
    expect(answer).toEqual({ PhysicalResourceId: 'lockstep:default' })
  })
})
