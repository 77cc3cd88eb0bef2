import * as s3 from 'aws-cdk-lib/aws-s3'
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager'
import type { Stack } from 'aws-cdk-lib'
import { describe, expect, it } from 'vitest'
import { DatabaseMigration, type DatabaseMigrationProps, type ExistingDatabase } from '../../infra/index.ts'
import { createApp, createStack, existingDatabase, SHOP_DIRECTORY } from './fixtures.ts'

interface Two {
  readonly stack: Stack
  readonly database: ExistingDatabase
  readonly add: (id: string, props?: Partial<DatabaseMigrationProps>) => DatabaseMigration
}

/** A stack whose first migration is that of the set `default`. */
function withOne(props: (stack: Stack) => Partial<DatabaseMigrationProps> = () => ({})): Two {
  const stack = createStack()
  const database = existingDatabase(stack)
  const add: Two['add'] = (id, own = {}) =>
    new DatabaseMigration(stack, id, { database, migrations: SHOP_DIRECTORY, ...own })
  add('First', props(stack))
  return { stack, database, add }
}

function otherSecret(stack: Stack): secretsmanager.ISecret {
  const arn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:billing-AbCdEf'
  return secretsmanager.Secret.fromSecretCompleteArn(stack, 'OtherSecret', arn)
}

function ownBucket(stack: Stack, id: string): s3.IBucket {
  return s3.Bucket.fromBucketName(stack, id, 'own-bucket')
}

describe('two migrations in a stack', () => {
  it('of one set on one database are refused: each would miss the files of the other', () => {
    const { add } = withOne()
    expect(() => add('Second')).toThrow(
      'CONFIG_INVALID: Shop/Second: "set" is "default", as that of Shop/First is, which migrates the same database. ' +
        'Give each a "set" of its own, or put the migrations into one directory.',
    )
  })

  it.each<readonly [string, (two: Two) => Partial<DatabaseMigrationProps>]>([
    ['another set', () => ({ set: 'billing' })],
    ['another history', () => ({ historySchema: 'billing_history' })],
    ['another database of the server', () => ({ databaseName: 'billing' })],
    ['another secret', ({ stack }) => ({ secret: otherSecret(stack) })],
    ['another server', ({ database }) => ({ database: { ...database, host: 'other.example.com' } })],
  ])('with %s are accepted', (_title, props) => {
    const two = withOne()
    expect(() => two.add('Second', props(two))).not.toThrow()
  })

  it('of one set on two databases with one bucket are refused: their snapshots would lie in one folder', () => {
    const { stack, database, add } = withOne((stack) => ({ snapshotBucket: ownBucket(stack, 'One') }))
    const snapshotBucket = ownBucket(stack, 'Two')
    const other = { database: { ...database, host: 'other.example.com' }, snapshotBucket }
    expect(() => add('Second', other)).toThrow(
      'CONFIG_INVALID: Shop/Second: "set" is "default", as that of Shop/First is, whose snapshots are in the same ' +
        'folder of the same bucket. Give one of them another "set", or a "snapshotBucket" of its own.',
    )
    expect(() => add('Third', { ...other, set: 'third' })).not.toThrow()
    expect(() => add('Fourth', { ...other, databaseName: 'billing' })).not.toThrow()
  })

  it('in two stacks are accepted', () => {
    const app = createApp()
    for (const id of ['One', 'Two']) {
      const stack = createStack(app, id)
      expect(
        () => new DatabaseMigration(stack, 'M', { database: existingDatabase(stack), migrations: SHOP_DIRECTORY }),
      ).not.toThrow()
    }
  })
})
