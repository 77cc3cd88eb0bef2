import { Duration, type Stack } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import * as kms from 'aws-cdk-lib/aws-kms'
import * as s3 from 'aws-cdk-lib/aws-s3'
import { describe, expect, it } from 'vitest'
import { Snapshot, type DatabaseMigrationProps, type DatabaseSource } from '../../infra/index.ts'
import {
  createCluster,
  createInstance,
  createMigration,
  createStack,
  existingDatabase,
  importedSecret,
  migrationFunction,
  migrationResource,
  synthesize,
} from './fixtures.ts'

function environmentOf(template: Template): Readonly<Record<string, unknown>> {
  const { Variables } = migrationFunction(template).Properties['Environment'] as {
    readonly Variables: Readonly<Record<string, unknown>>
  }
  return Object.fromEntries(
    Object.entries(Variables).filter(([name]) => /^LOCKSTEP_(SNAPSHOT_|RDS_|STACK_)/.test(name)),
  )
}

function rdsTemplate(
  database: (stack: Stack) => DatabaseSource,
  props: Partial<DatabaseMigrationProps> = {},
): Template {
  const stack = createStack()
  createMigration(stack, { database: database(stack), snapshot: Snapshot.rds(), ...props })
  return Template.fromStack(stack)
}

function settingsWith(snapshot: Snapshot): unknown {
  return migrationResource(synthesize({ snapshot })).Properties['settings']
}

describe('a logical snapshot', () => {
  it('is of the whole database unless something else is said', () => {
    expect(environmentOf(synthesize({ snapshot: Snapshot.logical() }))).toEqual({
      LOCKSTEP_SNAPSHOT_KEY: expect.anything(),
      LOCKSTEP_SNAPSHOT_MODE: 'logical',
    })
  })

  it('is told to the function with all that is said of it', () => {
    const snapshot = Snapshot.logical({
      scope: { schemas: ['shop', 'billing'] },
      exclude: ['audit.*', 'shop.sessions'],
      workers: 8,
      keepLast: 10,
      expireAfter: Duration.days(90),
    })
    expect(environmentOf(synthesize({ snapshot }))).toEqual({
      LOCKSTEP_SNAPSHOT_KEY: expect.anything(),
      LOCKSTEP_SNAPSHOT_MODE: 'logical',
      LOCKSTEP_SNAPSHOT_SCOPE: 'schemas:shop,billing',
      LOCKSTEP_SNAPSHOT_EXCLUDE: 'audit.*,shop.sessions',
      LOCKSTEP_SNAPSHOT_WORKERS: '8',
      LOCKSTEP_SNAPSHOT_KEEP_LAST: '10',
      LOCKSTEP_SNAPSHOT_KEEP_DAYS: '90',
    })
  })

  it('is kept for 30 days beyond the newest when nothing is said of days', () => {
    expect(environmentOf(synthesize({ snapshot: Snapshot.logical({ keepLast: 3 }) }))).toMatchObject({
      LOCKSTEP_SNAPSHOT_KEEP_LAST: '3',
      LOCKSTEP_SNAPSHOT_KEEP_DAYS: '30',
    })
  })

  it('is a reason to run when what it holds changes, and none when only its age does', () => {
    const whole = settingsWith(Snapshot.logical())
    expect(settingsWith(Snapshot.logical({ scope: 'affected' }))).not.toEqual(whole)
    expect(settingsWith(Snapshot.logical({ expireAfter: Duration.days(7) }))).toEqual(whole)
  })
})

describe('a storage-level snapshot', () => {
  it.each([
    ['instance', createInstance, { LOCKSTEP_RDS_INSTANCE: { Ref: expect.stringMatching('^Database') } }],
    [
      'cluster',
      (stack: Stack) => createCluster(stack),
      { LOCKSTEP_RDS_CLUSTER: { Ref: expect.stringMatching('^Database') } },
    ],
  ])('is of the %s that is migrated', (_, database, server) => {
    expect(environmentOf(rdsTemplate(database))).toEqual({
      LOCKSTEP_SNAPSHOT_KEY: expect.anything(),
      LOCKSTEP_SNAPSHOT_MODE: 'rds',
      LOCKSTEP_SNAPSHOT_KEEP_LAST: '5',
      LOCKSTEP_RDS_SNAPSHOT_PREFIX: expect.stringMatching(/^lockstep-shop-[0-9a-f]{8}-$/),
      LOCKSTEP_STACK_NAME: 'Shop',
      ...server,
    })
  })

  it('is of the instance that is named where the database does not tell', () => {
    const snapshot = Snapshot.rds({ instanceIdentifier: 'shop', keepLast: 2 })
    expect(environmentOf(synthesize({ snapshot }))).toMatchObject({
      LOCKSTEP_RDS_INSTANCE: 'shop',
      LOCKSTEP_SNAPSHOT_KEEP_LAST: '2',
    })
  })

  it('has a name of its own for each stack and set, short enough for a cluster', () => {
    const prefixes = [
      ['Shop', 'default'],
      ['Shop', 'billing'],
      ['AVeryLongNameOfAStackIndeed', 'default'],
      ['A-2---b-', 'default'],
    ].map(([id, set]) => {
      const stack = createStack(undefined, id)
      createMigration(stack, { set: set ?? '', snapshot: Snapshot.rds({ clusterIdentifier: 'shop' }) })
      return String(environmentOf(Template.fromStack(stack))['LOCKSTEP_RDS_SNAPSHOT_PREFIX'])
    })
    expect(new Set(prefixes).size).toBe(4)
    for (const prefix of prefixes) {
      const id = `${prefix}${'0'.repeat(32)}`
      expect(id.length).toBeLessThanOrEqual(63)
      expect(id).toMatch(/^[a-z](-?[a-z0-9])*$/)
    }
  })
})

const OWN_BUCKET = (stack: Stack): Partial<DatabaseMigrationProps> => ({
  snapshotBucket: s3.Bucket.fromBucketName(stack, 'Own', 'own-bucket'),
})

describe('a mistake in the choice of a snapshot', () => {
  const restore = { onFailure: 'restore' } as const
  it.each<[string, Partial<DatabaseMigrationProps> | ((stack: Stack) => Partial<DatabaseMigrationProps>), string]>([
    [
      'a restore of a part',
      { ...restore, snapshot: Snapshot.logical({ scope: 'affected' }) },
      '"onFailure" is "restore", but the "scope" of the snapshot is affected: it lacks rows of the database.',
    ],
    [
      'a restore without some tables',
      { ...restore, snapshot: Snapshot.logical({ exclude: ['a.b'] }) },
      '"onFailure" is "restore", but the snapshot excludes tables',
    ],
    [
      'a restore of the storage',
      { ...restore, snapshot: Snapshot.rds({ instanceIdentifier: 'shop' }) },
      '"onFailure" is "restore", but "snapshot" is Snapshot.rds(), which RDS restores into a new server',
    ],
    ['no schema', { snapshot: Snapshot.logical({ scope: { schemas: [] } }) }, 'has the schemas []. Give the name'],
    [
      'a schema with a comma',
      { snapshot: Snapshot.logical({ scope: { schemas: ['a,b'] } }) },
      'has the schemas ["a,b"]. Give the name',
    ],
    [
      'a table without its schema',
      { snapshot: Snapshot.logical({ exclude: ['users'] }) },
      '"exclude" of the snapshot has "users". Give schema.table',
    ],
    [
      'no workers',
      { snapshot: Snapshot.logical({ workers: 0 }) },
      '"workers" of the snapshot is 0. Give a whole number from 1 to 32.',
    ],
    ['half a worker', { snapshot: Snapshot.logical({ workers: 1.5 }) }, '"workers" of the snapshot is 1.5.'],
    [
      'nothing kept',
      { snapshot: Snapshot.logical({ keepLast: 0 }) },
      '"keepLast" of the snapshot is 0. Give a whole number from 1 on.',
    ],
    [
      'nothing kept by RDS',
      { snapshot: Snapshot.rds({ keepLast: 0, clusterIdentifier: 'c' }) },
      '"keepLast" of the snapshot is 0.',
    ],
    [
      'hours',
      { snapshot: Snapshot.logical({ expireAfter: Duration.hours(36) }) },
      '"expireAfter" of the snapshot is 1 day 12 hours. Give whole days',
    ],
    ['no days', { snapshot: Snapshot.logical({ expireAfter: Duration.days(0) }) }, 'Give whole days, from 1 on'],
    [
      'a lock that the function would have to break',
      { snapshot: Snapshot.logical({ keepLast: 3, lockFor: Duration.days(7) }) },
      '"lockFor" and "keepLast" of the snapshot contradict each other: what is locked cannot be deleted. Give one of them.',
    ],
    [
      'a lock beyond the end',
      { snapshot: Snapshot.logical({ lockFor: Duration.days(31) }) },
      '"lockFor" of the snapshot is 31 days, but it expires after 30. Give an "expireAfter" that is at least as long.',
    ],
    [
      'a mode of no lock',
      { snapshot: Snapshot.logical({ lockMode: 'compliance' }) },
      '"lockMode" of the snapshot is given without "lockFor".',
    ],
    [
      "an age for another's bucket",
      (stack) => ({ ...OWN_BUCKET(stack), snapshot: Snapshot.logical({ expireAfter: Duration.days(7) }) }),
      '"expireAfter" of the snapshot is for the bucket that is made here, but "snapshotBucket" is given.',
    ],
    [
      "a lock and a key for another's bucket",
      (stack) => ({
        ...OWN_BUCKET(stack),
        snapshot: Snapshot.logical({ lockFor: Duration.days(7) }),
        encryptionKey: kms.Key.fromKeyArn(stack, 'Key', 'arn:aws:kms:eu-central-1:111122223333:key/own'),
      }),
      '"lockFor" of the snapshot and "encryptionKey" is for the bucket',
    ],
    [
      'a server that nobody named',
      { snapshot: Snapshot.rds() },
      'Snapshot.rds() cannot read from this database which RDS instance or cluster it is. Give Snapshot.rds({ instanceIdentifier }) or Snapshot.rds({ clusterIdentifier }).',
    ],
    [
      'a proxy',
      (stack) => proxied(stack, Snapshot.rds()),
      'Snapshot.rds() cannot read from this database which RDS instance or cluster it is.',
    ],
    [
      'two servers',
      { snapshot: Snapshot.rds({ instanceIdentifier: 'a', clusterIdentifier: 'b' }) },
      'is given both an "instanceIdentifier" and a "clusterIdentifier". Give that of the cluster',
    ],
    [
      'another server than the database',
      (stack) => ({ database: createCluster(stack), snapshot: Snapshot.rds({ clusterIdentifier: 'b' }) }),
      'Snapshot.rds() is given an identifier, but "database" is the cluster already. Leave the identifier out.',
    ],
  ])('is told at synth: %s', (_, props, message) => {
    const stack = createStack()
    const given = typeof props === 'function' ? props(stack) : props
    expect(() => createMigration(stack, given)).toThrow(message)
  })

  it('is none when the function keeps the newest in a bucket that is brought along', () => {
    const stack = createStack()
    const snapshot = Snapshot.logical({ keepLast: 3, expireAfter: Duration.days(7) })
    createMigration(stack, { database: existingDatabase(stack), ...OWN_BUCKET(stack), snapshot })
    expect(environmentOf(Template.fromStack(stack))).toMatchObject({ LOCKSTEP_SNAPSHOT_KEEP_DAYS: '7' })
  })
})

function proxied(stack: Stack, snapshot: Snapshot): Partial<DatabaseMigrationProps> {
  const cluster = createCluster(stack)
  const secret = importedSecret(stack)
  const database = cluster.addProxy('Proxy', { vpc: cluster.vpc, secrets: [secret] })
  return { database, secret, vpc: cluster.vpc, snapshot }
}
