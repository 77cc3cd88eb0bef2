import { Duration } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import * as logs from 'aws-cdk-lib/aws-logs'
import { describe, expect, it } from 'vitest'
import { Snapshot, type DatabaseMigrationProps } from '../../infra/index.ts'
import {
  createCluster,
  createMigration,
  createStack,
  existingDatabase,
  migrationResource,
  migrationsDirectory,
  SECRET_ARN,
  SHOP,
  SHOP_DIRECTORY,
  synthesize,
} from './fixtures.ts'

const migrations = SHOP_DIRECTORY

function propertiesOf(props: Partial<DatabaseMigrationProps> = {}): Readonly<Record<string, unknown>> {
  return migrationResource(synthesize({ migrations, ...props })).Properties
}

describe('the custom resource', () => {
  const before = propertiesOf()

  it('says what it migrates, and nothing else', () => {
    expect(before).toEqual({
      ServiceToken: expect.anything(),
      ServiceTimeout: '900',
      set: 'default',
      migrations: expect.stringMatching(/^[0-9a-f]{64}$/),
      settings: expect.stringMatching(new RegExp(`^[0-9a-f]{64} ${SECRET_ARN}$`)),
      heads: '20260102_orders',
    })
  })

  it.each<[string, Partial<DatabaseMigrationProps>]>([
    ['more memory', { memorySize: 2048 }],
    ['a longer wait for the lock', { lockTimeout: Duration.minutes(9) }],
    ['another retention of the log', { logRetention: logs.RetentionDays.ONE_DAY }],
    ['another authority', { certificateAuthority: 'PEM' }],
    ['the default said aloud', { transaction: 'run', snapshot: Snapshot.logical(), set: 'default' }],
    ['the same migrations in another directory', { migrations: migrationsDirectory() }],
    ['a CRLF checkout', { migrations: migrationsDirectory(changed((text) => text.replaceAll('\n', '\r\n'))) }],
    ['a file that is no migration', { migrations: migrationsDirectory({ ...SHOP, 'README.md': 'hello' }) }],
  ])('stays the same with %s', (_, props) => {
    expect(propertiesOf(props)).toEqual(before)
  })

  it.each<[string, Partial<DatabaseMigrationProps>]>([
    ['another migration', { migrations: migrationsDirectory({ ...SHOP, '3_c.sql': '-- migrate:up\nSELECT 1;\n' }) }],
    ['an edited migration', { migrations: migrationsDirectory(changed((text) => `${text}-- edited\n`)) }],
    [
      'a renamed migration',
      {
        migrations: migrationsDirectory({
          '1_renamed.sql': SHOP['20260101_products.sql'],
          '2_b.sql': SHOP['20260102_orders.sql'],
        }),
      },
    ],
  ])('changes its migrations with %s', (_, props) => {
    const after = propertiesOf(props)
    expect(after.migrations).not.toBe(before.migrations)
    expect(after.settings).toBe(before.settings)
  })

  it.each<[string, Partial<DatabaseMigrationProps>]>([
    ['another scope of transactions', { transaction: 'migration' }],
    ['another rollback policy', { onRollback: 'keep' }],
    ['another failure policy', { onFailure: 'restore' }],
    ['another history schema', { historySchema: 'history' }],
    ['another set', { set: 'billing' }],
    ['no snapshot', { snapshot: Snapshot.none() }],
    ['no automatic apply', { autoApply: false }],
    ['no TLS', { tls: 'disable' }],
    ['another database', { databaseName: 'billing' }],
  ])('changes its settings with %s', (_, props) => {
    const after = propertiesOf(props)
    expect(after.settings).not.toBe(before.settings)
    expect(after.migrations).toBe(before.migrations)
  })

  it('changes its settings with another server', () => {
    // GIVEN
    const stack = createStack()
    createMigration(stack, { migrations, database: existingDatabase(stack, { host: 'db.example.com', port: 6432 }) })

    // THEN
    const { settings } = migrationResource(Template.fromStack(stack)).Properties
    expect(settings).toMatch(/^[0-9a-f]{64} db\.example\.com:6432$/)
  })

  it('lets CloudFormation notice a database that it replaces: its endpoint is part of the settings', () => {
    // GIVEN
    const stack = createStack()
    const database = createCluster(stack)
    createMigration(stack, { migrations, database })

    // THEN
    const { settings } = migrationResource(Template.fromStack(stack)).Properties
    expect(settings).toEqual({
      'Fn::Join': [
        '',
        [
          expect.stringMatching(/^[0-9a-f]{64} $/),
          stack.resolve(database.clusterEndpoint.hostname),
          ':',
          { 'Fn::GetAtt': [expect.anything(), 'Endpoint.Port'] },
        ],
      ],
    })
  })
})

function changed(change: (text: string) => string): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(SHOP).map(([name, text]) => [name, change(text)]))
}
