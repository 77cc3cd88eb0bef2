import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { CustomResourceEvent } from '../../lambda/custom-resource-event.ts'
import { onEvent } from '../../lambda/custom-resource.ts'
import { perform } from '../../lambda/actions.ts'
import { silentLog } from '../../lambda/log.ts'
import type { Lockstep } from '../../lambda/lockstep.ts'
import { createDatabase } from '../support/database.ts'
import { lockstepFor } from '../support/lockstep.ts'
import { writeFiles } from '../support/source-files.ts'

const FILE = '-- migrate:up\nCREATE TABLE a (id int);\n-- migrate:down\nDROP TABLE a;\n'
const UNREACHABLE = 'postgres://nobody:canary@127.0.0.1:1/nowhere'
const NOT_MET = { report: { code: 'REQUIREMENT_NOT_MET' } }

function inFiveHours(): Date {
  return new Date(Date.now() + 5 * 3_600_000)
}

function update(from: string, to: string): CustomResourceEvent {
  return {
    RequestType: 'Update',
    RequestId: `${from}-${to}`,
    StackId: 'app-stack',
    LogicalResourceId: 'Schema',
    PhysicalResourceId: 'lockstep:default:requirement',
    ResourceProperties: { require: to, set: 'default' },
    OldResourceProperties: { require: from, set: 'default' },
  }
}

/** A database at 1_a, and a Lockstep that keeps its records in a directory; CloudFormation does not answer. */
async function migrated(stackStatus: string | null = null) {
  const database = await createDatabase()
  const files = await writeFiles({ '1_a.sql': FILE })
  const directory = await mkdtemp(join(tmpdir(), 'lockstep-records-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const snapshots = { location: directory, kmsKeyId: null }
  const warnings: string[] = []
  const log = { ...silentLog, warn: (message: string) => void warnings.push(message) }
  const at = (url: string): Lockstep => ({
    ...lockstepFor(url, files, { snapshots }, log),
    stackStatus: async () => stackStatus,
  })
  await perform(at(database.url), { action: 'up' })
  return { lockstep: at(database.url), unreachable: at(UNREACHABLE), warnings }
}

describe('a requirement in a rollback', () => {
  it('succeeds, though what it goes back to is no longer met', async () => {
    const { lockstep, warnings } = await migrated()
    await expect(onEvent(lockstep, update('0_gone', '2_next'))).rejects.toMatchObject(NOT_MET)
    expect(await onEvent(lockstep, update('2_next', '0_gone'))).toMatchObject({ Data: { Current: '1_a' } })
    expect(warnings.at(-1)).toContain('this is a rollback')
  })

  it('succeeds while the database cannot be reached', async () => {
    const { lockstep, unreachable } = await migrated()
    await expect(onEvent(lockstep, update('1_a', '2_next'))).rejects.toMatchObject(NOT_MET)
    expect(await onEvent(unreachable, update('2_next', '1_a'))).toMatchObject({ Data: { Current: '' } })
  })

  it('is not seen in the next attempt to go forward', async () => {
    const { lockstep } = await migrated()
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await expect(onEvent(lockstep, update('0_gone', '2_next'))).rejects.toMatchObject(NOT_MET)
      await onEvent(lockstep, update('2_next', '0_gone'))
    }
  })

  it('is a deployment of its own after four hours', async () => {
    const { lockstep } = await migrated()
    await expect(onEvent(lockstep, update('0_gone', '2_next'))).rejects.toMatchObject(NOT_MET)
    const later = { ...lockstep, clock: { ...lockstep.clock, now: inFiveHours } }
    await expect(onEvent(later, update('2_next', '0_gone'))).rejects.toMatchObject(NOT_MET)
  })

  it('is what CloudFormation says, where it answers', async () => {
    const forward = await migrated('UPDATE_IN_PROGRESS')
    await expect(onEvent(forward.lockstep, update('0_gone', '2_next'))).rejects.toMatchObject(NOT_MET)
    await expect(onEvent(forward.lockstep, update('2_next', '0_gone'))).rejects.toMatchObject(NOT_MET)
    const back = await migrated('UPDATE_ROLLBACK_IN_PROGRESS')
    expect(await onEvent(back.lockstep, update('2_next', '0_gone'))).toMatchObject({ Data: { Current: '1_a' } })
  })

  it('fails as ever where the attempt could not be recorded', async () => {
    const { lockstep, warnings } = await migrated()
    const broken: Lockstep = {
      ...lockstep,
      snapshots: () => {
        throw new Error('no route to the bucket')
      },
    }
    await expect(onEvent(broken, update('0_gone', '2_next'))).rejects.toMatchObject(NOT_MET)
    await expect(onEvent(broken, update('2_next', '0_gone'))).rejects.toMatchObject(NOT_MET)
    expect(warnings).toContain('the change of the requirement cannot be recorded')
  })
})
