import { describe, expect, it } from 'vitest'
import type { CustomResourceEvent } from '../../lambda/custom-resource-event.ts'
import { isComplete, onEvent } from '../../lambda/custom-resource.ts'
import { silentLog, type Log } from '../../lambda/log.ts'
import type { SnapshotContext } from '../../lambda/snapshot/snapshot.ts'
import type { SnapshotStore } from '../../lambda/snapshot/store.ts'
import { createDatabase } from '../support/database.ts'
import { lockstepFor } from '../support/lockstep.ts'
import { startSilentServer } from '../support/silent-server.ts'
import { writeFiles } from '../support/source-files.ts'

const FILE = '-- migrate:up\nCREATE TABLE a (id int);\n-- migrate:down\nDROP TABLE a;\n'
const UNREACHABLE = 'postgres://nobody:canary@127.0.0.1:1/nowhere'

/** Never asked: its store is replaced. */
const BUCKET = { location: '/nowhere', kmsKeyId: null }

function recordingLog(): { readonly log: Log; readonly messages: string[] } {
  const messages: string[] = []
  return { log: { ...silentLog, warn: (message) => void messages.push(message) }, messages }
}

function event(
  type: CustomResourceEvent['RequestType'],
  properties: Readonly<Record<string, string>>,
): CustomResourceEvent {
  return {
    RequestType: type,
    RequestId: `${type}-1`,
    StackId: 'stack',
    LogicalResourceId: 'Migration',
    ResourceProperties: properties,
  }
}

const properties = { set: 'default', migrations: 'v1', settings: 's', heads: '1_a' }

describe('onEvent', () => {
  it('migrates on Create and answers with where the database is', async () => {
    const database = await createDatabase()
    const lockstep = lockstepFor(database.url, await writeFiles({ '1_a.sql': FILE }))
    const answer = await onEvent(lockstep, event('Create', properties))
    expect(answer).toMatchObject({
      PhysicalResourceId: 'lockstep:default',
      Data: { Status: 'succeeded', Current: '1_a', Applied: '1', Reverted: '0' },
    })
    expect(await onEvent(lockstep, event('Create', properties))).toEqual(answer)
  })

  it('never touches the database on Delete', async () => {
    const lockstep = lockstepFor(UNREACHABLE, '/nowhere')
    const answer = await onEvent(lockstep, { ...event('Delete', properties), PhysicalResourceId: 'lockstep:default' })
    expect(answer).toEqual({ PhysicalResourceId: 'lockstep:default' })
  })

  it('fails when the database is down', async () => {
    const lockstep = lockstepFor(UNREACHABLE, await writeFiles({ '1_a.sql': FILE }))
    await expect(onEvent(lockstep, event('Create', properties))).rejects.toMatchObject({
      report: { code: 'DATABASE_UNREACHABLE', message: expect.stringContaining('127.0.0.1:1/nowhere as nobody') },
    })
  })

  it.each(['at-once', 'in-session'] as const)(
    'answers before its time is over when the server is silent %s',
    async (silent) => {
      const url = `postgres://nobody:canary@127.0.0.1:${await startSilentServer(silent)}/nowhere?sslmode=disable`
      const end = Date.now() + 6000
      const remainingMs = (): number => Math.max(0, end - Date.now())
      const time = { remainingMs, answerWithinMs: remainingMs }
      const config = { connectTimeoutMs: 60_000 }
      const lockstep = lockstepFor(url, await writeFiles({ '1_a.sql': FILE }), config, silentLog, time)
      await expect(onEvent(lockstep, event('Create', properties))).rejects.toMatchObject({
        report: { code: 'DATABASE_UNREACHABLE', state: 'The database has not been touched.' },
      })
      expect(Date.now()).toBeLessThan(end)
    },
  )

  it('answers when the bucket does not, though the database is down as well', async () => {
    const { log, messages } = recordingLog()
    const composed = lockstepFor(UNREACHABLE, await writeFiles({ '1_a.sql': FILE }), { snapshots: BUCKET }, log)
    const store: SnapshotStore = { ...composed.snapshots().store, list: () => new Promise(() => {}) }
    const snapshots = (): SnapshotContext => ({ ...composed.snapshots(), store })
    const update = { ...event('Update', properties), OldResourceProperties: { ...properties, migrations: 'v2' } }
    await expect(onEvent({ ...composed, snapshots, remainingMs: () => 1000 }, update)).rejects.toMatchObject({
      report: { code: 'DATABASE_UNREACHABLE' },
    })
    expect(messages).toEqual(['the attempt cannot be recorded', 'the record of the earlier deployment cannot be read'])
  })

  it('throws when a migration fails, so that the deployment fails', async () => {
    const database = await createDatabase()
    const lockstep = lockstepFor(database.url, await writeFiles({ '1_a.sql': '-- migrate:up\nSELECT nothing;' }))
    await expect(onEvent(lockstep, event('Create', properties))).rejects.toMatchObject({
      report: { code: 'MIGRATION_FAILED', migration: '1_a' },
    })
  })

  it('applies nothing when automatic application is off', async () => {
    const database = await createDatabase()
    const lockstep = lockstepFor(database.url, await writeFiles({ '1_a.sql': FILE }), { autoApply: false })
    expect(await onEvent(lockstep, event('Create', properties))).toMatchObject({
      Data: { Status: 'pending', Pending: '1' },
    })
    expect(await database.rows("SELECT to_regclass('a') AS a")).toEqual([{ a: null }])
  })

  it('meets a requirement when the migration is applied, and fails with what to do when it is not', async () => {
    const database = await createDatabase()
    const lockstep = lockstepFor(database.url, await writeFiles({ '1_a.sql': FILE }))
    const requirement = event('Create', { require: '1_a', set: 'default' })
    await expect(onEvent(lockstep, requirement)).rejects.toMatchObject({
      report: {
        code: 'REQUIREMENT_NOT_MET',
        message: expect.stringContaining('"1_a"'),
        remedy: expect.stringContaining('Deploy the stack'),
      },
    })
    await onEvent(lockstep, event('Create', properties))
    expect(await onEvent(lockstep, requirement)).toEqual({
      PhysicalResourceId: 'lockstep:default:requirement',
      Data: { Current: '1_a' },
    })
    await expect(onEvent(lockstep, event('Create', { require: '1_a', set: 'other' }))).rejects.toMatchObject({
      report: { code: 'CONFIG_INVALID' },
    })
  })
})

describe('isComplete', () => {
  const TWO = { '1_a.sql': FILE, '2_b.sql': FILE.replaceAll('TABLE a', 'TABLE b') }

  it('goes on with a run that had no time left, until it is done', async () => {
    const database = await createDatabase()
    const lockstep = { ...lockstepFor(database.url, await writeFiles(TWO)), deadline: 4_000_000_000_000 }
    const hurried = { ...lockstep, shouldPause: () => true }
    const request = event('Create', properties)
    const begun = await onEvent(hurried, request)
    expect(begun).toEqual({
      PhysicalResourceId: 'lockstep:default',
      Continuation: { complete: false, deadline: 4_000_000_000_000 },
    })
    expect(await isComplete(hurried, request, { complete: false, deadline: 4_000_000_000_000 })).toMatchObject({
      IsComplete: true,
      Data: { Status: 'succeeded', Current: '2_b', Applied: '2' },
    })
  })

  it('has nothing left to ask when the run was done at once', async () => {
    const database = await createDatabase()
    const lockstep = { ...lockstepFor(database.url, await writeFiles(TWO)), deadline: 4_000_000_000_000 }
    const { Continuation: continuation } = await onEvent(lockstep, event('Create', properties))
    expect(continuation).toEqual({ complete: true, deadline: 4_000_000_000_000 })
    const unreachable = lockstepFor(UNREACHABLE, '/nowhere')
    const answer = await isComplete(unreachable, event('Create', properties), { complete: true, deadline: 0 })
    expect(answer).toEqual({ IsComplete: true })
  })

  it('answers a Delete at once', async () => {
    const lockstep = { ...lockstepFor(UNREACHABLE, '/nowhere'), deadline: 1 }
    const answer = await onEvent(lockstep, { ...event('Delete', properties), PhysicalResourceId: 'lockstep:default' })
    expect(answer.Continuation).toEqual({ complete: true, deadline: 1 })
  })
})
