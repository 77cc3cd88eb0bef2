import { expect, test } from 'vitest'
import type { CustomResourceEvent } from '../../../lambda/custom-resource-event.ts'
import { onEvent } from '../../../lambda/custom-resource.ts'
import type { Lockstep } from '../../../lambda/lockstep.ts'
import { databasesOf } from '../snapshot/support.ts'
import { FAILING, migrated, OUTSIDE } from './support.ts'

const properties = (migrations: string) => ({ set: 'default', migrations, settings: 's', heads: '' })

function update(target: string, old: string): CustomResourceEvent {
  return {
    RequestType: 'Update',
    RequestId: `request-${target}`,
    StackId: 'stack',
    LogicalResourceId: 'Migration',
    PhysicalResourceId: 'lockstep:default',
    ResourceProperties: properties(target),
    OldResourceProperties: properties(old),
  }
}

const during = (lockstep: Lockstep, status: string): Lockstep => ({ ...lockstep, stackStatus: async () => status })

test('a deployment that fails is restored, and its rollback has nothing to do, even without the database', async () => {
  const { lockstep, database, fingerprintNow, before } = await migrated()
  const deployed = onEvent(await lockstep({ ...OUTSIDE, ...FAILING }), update('v2', 'v1'))
  await expect(deployed).rejects.toMatchObject({
    report: { code: 'MIGRATION_FAILED', state: expect.stringContaining('as it was before, at 1_items') },
  })
  expect(await fingerprintNow()).toEqual(before)
  expect(await databasesOf(database)).toHaveLength(2)

  const unreachable = await lockstep({}, { database: { kind: 'url', url: 'postgres://nobody@127.0.0.1:1/nowhere' } })
  expect(await onEvent(during(unreachable, 'UPDATE_ROLLBACK_IN_PROGRESS'), update('v1', 'v2'))).toMatchObject({
    Data: { Status: 'unreachable' },
  })
})

test('the rollback of a deployment never restores: what was written since would be gone', async () => {
  const { lockstep, database } = await migrated()
  const badDown = {
    '2_outside.sql': `${OUTSIDE['2_outside.sql']}-- migrate:down transaction:false\nDROP INDEX CONCURRENTLY items_name;\nSELECT nothing;\n`,
  }
  await onEvent(await lockstep(badDown), update('v2', 'v1'))
  const rollback = onEvent(during(await lockstep({}), 'UPDATE_ROLLBACK_IN_PROGRESS'), update('v1', 'v2'))
  await expect(rollback).rejects.toMatchObject({
    report: { state: expect.stringContaining('The down of 2_outside has run up to its statement 1 of 2') },
  })
  expect(await databasesOf(database)).toEqual([database.name])
})
