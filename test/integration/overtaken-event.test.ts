import { describe, expect, it } from 'vitest'
import { systemClock } from '../../lambda/adapters/clock.ts'
import type { CustomResourceEvent } from '../../lambda/custom-resource-event.ts'
import { onEvent } from '../../lambda/custom-resource.ts'
import { lockKey } from '../../lambda/engine/lock/lock.ts'
import type { Lockstep } from '../../lambda/lockstep.ts'
import { createDatabase, type TestDatabase } from '../support/database.ts'
import { lockstepFor } from '../support/lockstep.ts'
import { writeFiles } from '../support/source-files.ts'

const ONE = { '1_a.sql': '-- migrate:up\nCREATE TABLE a (id int);\n-- migrate:down\nDROP TABLE a;\n' }
const TWO = { ...ONE, '2_b.sql': '-- migrate:up\nCREATE TABLE b (id int);\n-- migrate:down\nDROP TABLE b;\n' }
const UNREACHABLE = 'postgres://nobody@127.0.0.1:1/nowhere'
const KEY = lockKey('lockstep', 'default')

function properties(migrations: string): Readonly<Record<string, string>> {
  return { set: 'default', migrations, settings: 's', heads: '' }
}

function event(
  type: CustomResourceEvent['RequestType'],
  target: string,
  { old, id = `${type}-${target}` }: { readonly old?: string; readonly id?: string } = {},
): CustomResourceEvent {
  return {
    RequestType: type,
    RequestId: id,
    StackId: 'stack',
    LogicalResourceId: 'Migration',
    PhysicalResourceId: 'lockstep:default',
    ResourceProperties: properties(target),
    ...(old === undefined ? {} : { OldResourceProperties: properties(old) }),
  }
}

interface Function {
  readonly files: Readonly<Record<string, string>>
  readonly status: string | null
  readonly url?: string
}

async function stage() {
  const database = await createDatabase()
  const store = await writeFiles({})
  const code = async ({ files, status, url = database.url }: Function): Promise<Lockstep> => {
    const snapshots = { location: store, kmsKeyId: null }
    return { ...lockstepFor(url, await writeFiles(files), { snapshots }), stackStatus: async () => status }
  }
  return { database, code }
}

/** An event that finds the lock held, and is not back at it before `goOn` is called. The lock is free by then. */
async function waiting(database: TestDatabase, lockstep: Lockstep, of: CustomResourceEvent) {
  const holder = await database.connect()
  await holder.execute(`SELECT pg_advisory_lock(${KEY})`)
  const [asleep, awake] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const sleep = (): Promise<void> => {
    asleep.resolve()
    return awake.promise
  }
  const answer = onEvent({ ...lockstep, clock: { ...systemClock, sleep } }, of)
  answer.catch(() => {})
  await asleep.promise
  await holder.close()
  return {
    goOn: () => {
      awake.resolve()
      return answer
    },
  }
}

async function tables(database: TestDatabase): Promise<readonly unknown[]> {
  const rows = await database.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
  return rows.map(({ tablename }) => tablename)
}

const INTERRUPTED = { report: { code: 'INTERRUPTED' } }

describe('an event that waits for the lock while a later one takes it back', () => {
  it.each(['ROLLBACK_IN_PROGRESS', null, 'DELETE_IN_PROGRESS'])(
    'applies nothing when it is a Create, and is deleted (%s)',
    async (status) => {
      const { database, code } = await stage()
      const create = await waiting(database, await code({ files: ONE, status }), event('Create', 'v1'))
      await onEvent(await code({ files: ONE, status }), event('Delete', 'v1'))
      await expect(create.goOn()).rejects.toMatchObject(INTERRUPTED)
      expect(await tables(database)).toEqual([])
    },
  )

  it.each([undefined, UNREACHABLE])('applies nothing when it is an Update, and is rolled back (%s)', async (url) => {
    const { database, code } = await stage()
    await onEvent(await code({ files: ONE, status: null }), event('Create', 'v1'))
    const status = 'UPDATE_ROLLBACK_IN_PROGRESS'
    const update = await waiting(database, await code({ files: TWO, status }), event('Update', 'v2', { old: 'v1' }))
    const back = await code({ files: ONE, status, ...(url === undefined ? {} : { url }) })
    await onEvent(back, event('Update', 'v1', { old: 'v2' }))
    await expect(update.goOn()).rejects.toMatchObject(INTERRUPTED)
    expect(await tables(database)).toEqual(['a'])
  })

  it('applies nothing when it comes only after the Delete', async () => {
    const { database, code } = await stage()
    await onEvent(await code({ files: ONE, status: 'ROLLBACK_IN_PROGRESS' }), event('Delete', 'v1'))
    const late = await code({ files: ONE, status: 'ROLLBACK_COMPLETE' })
    await expect(onEvent(late, event('Create', 'v1'))).rejects.toMatchObject(INTERRUPTED)
    expect(await tables(database)).toEqual([])
  })

  it('applies nothing when it is delivered again after the Delete', async () => {
    const { database, code } = await stage()
    const lost = await code({ files: ONE, status: null, url: UNREACHABLE })
    await expect(onEvent(lost, event('Create', 'v1'))).rejects.toMatchObject({
      report: { code: 'DATABASE_UNREACHABLE' },
    })
    await onEvent(await code({ files: ONE, status: null }), event('Delete', 'v1'))
    const again = await code({ files: ONE, status: null })
    await expect(onEvent(again, event('Create', 'v1'))).rejects.toMatchObject(INTERRUPTED)
    expect(await tables(database)).toEqual([])
  })
})

describe('a deployment after one that was taken back', () => {
  it.each(['UPDATE_IN_PROGRESS', null])('creates the resource anew (%s)', async (status) => {
    const { database, code } = await stage()
    await onEvent(await code({ files: {}, status }), event('Create', 'v1'))
    await onEvent(await code({ files: {}, status }), event('Delete', 'v1'))
    await onEvent(await code({ files: ONE, status }), event('Create', 'v1', { id: 'another' }))
    expect(await tables(database)).toEqual(['a'])
  })

  it('updates it again', async () => {
    const { database, code } = await stage()
    await onEvent(await code({ files: ONE, status: null }), event('Create', 'v1'))
    await onEvent(await code({ files: TWO, status: null }), event('Update', 'v2', { old: 'v1' }))
    await onEvent(await code({ files: ONE, status: null }), event('Update', 'v1', { old: 'v2' }))
    expect(await tables(database)).toEqual(['a'])
    await onEvent(await code({ files: TWO, status: null }), event('Update', 'v2', { old: 'v1', id: 'another' }))
    expect(await tables(database)).toEqual(['a', 'b'])
  })
})
