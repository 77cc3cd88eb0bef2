import { describe, expect, it } from 'vitest'
import { Fault } from '../../../lambda/snapshot/fault.ts'
import { NotAvailableFault } from '../../../lambda/snapshot/storage-service.ts'
import type { RdsMode } from '../../support/rds.ts'
import { INSTANCE, rdsForTest, storageFor } from './support.ts'

const CLUSTER = { kind: 'cluster', identifier: 'shop' } as const

describe.each([
  [INSTANCE, 'arn:aws:rds:eu-central-1:111122223333:snapshot:one'],
  [CLUSTER, 'arn:aws:rds:eu-central-1:111122223333:cluster-snapshot:one'],
] as const)('RDS, with an %o', (database, arn) => {
  it('begins a snapshot with tags, and finds it until it is available', async () => {
    const rds = await rdsForTest()
    rds.put(database.kind, 'shop')
    const storage = storageFor(rds, database)
    expect(await storage.find('one')).toBeNull()
    const tags = { 'lockstep:set': 'default', 'lockstep:run': 'r-1' }
    const begun = await storage.create('one', tags)
    expect(begun).toEqual({ id: 'one', arn, status: 'creating', percent: 0, createdAt: null, tags })
    expect(await storage.find('one')).toMatchObject({ status: 'available', createdAt: expect.any(Date), tags })
  })

  it('finds what another delivery has begun meanwhile', async () => {
    const rds = await rdsForTest()
    rds.put(database.kind, 'shop')
    const storage = storageFor(rds, database)
    await storage.create('one', { 'lockstep:run': 'r-1' })
    expect(await storage.create('one', {})).toMatchObject({ id: 'one', tags: { 'lockstep:run': 'r-1' } })
    expect(rds.snapshots()).toHaveLength(1)
  })

  it('lists those that somebody took of this server, page by page', async () => {
    const rds = await rdsForTest()
    const { kind } = database
    for (const id of ['a', 'b', 'c', 'd', 'e']) rds.keep({ id, kind, server: 'shop' })
    rds.keep({ id: 'automated', kind, server: 'shop', type: 'automated' })
    rds.keep({ id: 'of-another', kind, server: 'other' })
    const listed = await storageFor(rds, database).list()
    expect(listed.map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  it('deletes', async () => {
    const rds = await rdsForTest()
    rds.keep({ id: 'a', kind: database.kind, server: 'shop' })
    await storageFor(rds, database).remove('a')
    expect(rds.snapshots()).toEqual([])
  })

  it('says that the server is at something else, which passes', async () => {
    const rds = await rdsForTest()
    rds.put(database.kind, 'shop', 'backing-up')
    const error = await storageFor(rds, database)
      .create('one', {})
      .catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(NotAvailableFault)
    expect(error).toMatchObject({
      message: expect.stringContaining('cannot begin the snapshot one: Cannot create a snapshot because the database'),
      remedy: `Wait until the ${database.kind} "shop" is "available", and try again.`,
    })
  })

  it('says that there is no such server', async () => {
    const error = await storageFor(await rdsForTest(), database)
      .create('one', {})
      .catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(Fault)
    expect(error).toMatchObject({ remedy: expect.stringContaining(`Check that the ${database.kind} "shop" is in`) })
  })
})

describe('RDS', () => {
  it.each<[RdsMode, RegExp, RegExp]>([
    ['denied', /not authorized to perform: rds:CreateDBSnapshot/, /Grant the function what Snapshot\.rds\(\)/],
    ['quota', /more than 100 manual snapshots/, /Delete snapshots that are not needed/],
    ['hangs', /cannot begin the snapshot one/, /VPC endpoint com\.amazonaws\.<region>\.rds/],
  ])('%s: fails with what to do', async (mode, message, remedy) => {
    const rds = await rdsForTest()
    rds.put('instance', 'shop')
    rds.answer(mode)
    const error = await storageFor(rds, INSTANCE)
      .create('one', {})
      .catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(Fault)
    expect(error).toMatchObject({ message: expect.stringMatching(message), remedy: expect.stringMatching(remedy) })
  })
})
