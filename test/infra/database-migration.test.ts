import { Duration, type Stack } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import * as iam from 'aws-cdk-lib/aws-iam'
import * as lambda from 'aws-cdk-lib/aws-lambda'
import * as logs from 'aws-cdk-lib/aws-logs'
import * as s3 from 'aws-cdk-lib/aws-s3'
import * as sqs from 'aws-cdk-lib/aws-sqs'
import { describe, expect, it } from 'vitest'
import { DatabaseMigration, Snapshot } from '../../infra/index.ts'
import {
  createCluster,
  createMigration,
  createStack,
  migrationFunction,
  migrationsDirectory,
  SECRET_ARN,
  soleResource,
  synthesize,
  type TemplateResource,
} from './fixtures.ts'

describe('the function', () => {
  it('runs on Node 24 for arm64, with memory and time for a migration', () => {
    expect(migrationFunction(synthesize()).Properties).toMatchObject({
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      Handler: 'index.handler',
      MemorySize: 1024,
      Timeout: 14 * 60,
      VpcConfig: { SubnetIds: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'] },
    })
  })

  it('reserves no concurrency: the lock in the database keeps runs apart', () => {
    expect(migrationFunction(synthesize()).Properties).not.toHaveProperty('ReservedConcurrentExecutions')
  })

  it('gets the defaults of every setting', () => {
    expect(migrationFunction(synthesize()).Properties.Environment).toEqual({
      Variables: {
        LOCKSTEP_SECRET_ARN: SECRET_ARN,
        LOCKSTEP_TLS: 'verify-full',
        LOCKSTEP_SET: 'default',
        LOCKSTEP_HISTORY_SCHEMA: 'lockstep',
        LOCKSTEP_MIGRATIONS: 'migrations',
        LOCKSTEP_MIGRATIONS_DIGEST: expect.stringMatching(/^[0-9a-f]{64}$/),
        LOCKSTEP_SNAPSHOTS: {
          'Fn::Join': ['', ['s3://', { Ref: 'MigrationSnapshotBucket810D29DD' }, '/lockstep/Shop/default']],
        },
        LOCKSTEP_SNAPSHOT_KEY: { 'Fn::GetAtt': ['MigrationSnapshotKeyA3D587FB', 'Arn'] },
        LOCKSTEP_SNAPSHOT_MODE: 'logical',
        LOCKSTEP_TRANSACTION: 'run',
        LOCKSTEP_ON_ROLLBACK: 'revert',
        LOCKSTEP_ON_FAILURE: 'revert',
        LOCKSTEP_AUTO_APPLY: 'true',
      },
    })
  })

  it('gets the environment, and the switches that differ from it', () => {
    // GIVEN
    const properties = migrationFunction(
      synthesize({ environment: 'production', policy: { requireProof: false, hazards: 'warn' } }),
    ).Properties

    // THEN
    expect(properties.Environment).toMatchObject({
      Variables: {
        LOCKSTEP_ENVIRONMENT: 'production',
        LOCKSTEP_REQUIRE_PROOF: 'false',
        LOCKSTEP_HAZARDS: 'warn',
      },
    })
    expect(properties.Environment).not.toHaveProperty('Variables.LOCKSTEP_CONFIRM_DOWNS')
  })

  it('gets every setting that is given', () => {
    // GIVEN
    const stack = createStack()
    createMigration(stack, {
      databaseName: 'shop',
      set: 'billing',
      historySchema: 'history',
      transaction: 'migration',
      onRollback: 'keep',
      snapshot: Snapshot.none(),
      snapshotBucket: s3.Bucket.fromBucketName(stack, 'Own', 'own-bucket'),
      tls: 'disable',
      certificateAuthority: '-----BEGIN CERTIFICATE-----',
      autoApply: false,
      totalTimeout: Duration.minutes(5),
      memorySize: 2048,
      lockTimeout: Duration.seconds(90),
      connectTimeout: Duration.minutes(2),
      logRetention: logs.RetentionDays.ONE_WEEK,
    })

    // WHEN
    const template = Template.fromStack(stack)

    // THEN
    expect(migrationFunction(template).Properties).toMatchObject({
      MemorySize: 2048,
      Timeout: 300,
      Environment: {
        Variables: {
          LOCKSTEP_DATABASE_NAME: 'shop',
          LOCKSTEP_SET: 'billing',
          LOCKSTEP_HISTORY_SCHEMA: 'history',
          LOCKSTEP_TRANSACTION: 'migration',
          LOCKSTEP_ON_ROLLBACK: 'keep',
          LOCKSTEP_SNAPSHOT_MODE: 'none',
          LOCKSTEP_SNAPSHOTS: 's3://own-bucket/lockstep/Shop/billing',
          LOCKSTEP_TLS: 'disable',
          LOCKSTEP_CERTIFICATE_AUTHORITY: 'certificate-authority.pem',
          LOCKSTEP_AUTO_APPLY: 'false',
          LOCKSTEP_LOCK_TIMEOUT_SECONDS: '90',
          LOCKSTEP_CONNECT_TIMEOUT_SECONDS: '120',
        },
      },
    })
    template.resourceCountIs('AWS::S3::Bucket', 0)
    template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 7 })
  })

  it('restores the snapshot of a failed run where that is asked for', () => {
    expect(migrationFunction(synthesize({ onFailure: 'restore' })).Properties).toMatchObject({
      Environment: { Variables: { LOCKSTEP_ON_FAILURE: 'restore', LOCKSTEP_SNAPSHOT_MODE: 'logical' } },
    })
  })

  it('keeps its log, and that of the Provider framework, for a limited time', () => {
    // WHEN
    const template = synthesize()

    // THEN
    const groups = Object.values(template.findResources('AWS::Logs::LogGroup')) as TemplateResource[]
    const functions = Object.values(template.findResources('AWS::Lambda::Function')) as TemplateResource[]
    expect(groups.map(({ Properties }) => Properties)).toEqual([{ RetentionInDays: 90 }, { RetentionInDays: 90 }])
    expect(functions.map(({ Properties }) => Properties.LoggingConfig)).toEqual([
      expect.objectContaining({ LogGroup: { Ref: 'MigrationLogsAD1DB442' } }),
      expect.objectContaining({ LogGroup: { Ref: 'MigrationProviderLogsBD73A776' } }),
    ])
  })

  it('can be invoked by whom it is granted to', () => {
    // GIVEN
    const stack = createStack()
    const user = new iam.User(stack, 'OnCall')

    // WHEN
    createMigration(stack).grantInvoke(user)

    // THEN
    const policies = Object.values(Template.fromStack(stack).findResources('AWS::IAM::Policy')) as TemplateResource[]
    expect(policies.map(({ Properties }) => Properties)).toContainEqual(
      expect.objectContaining({
        PolicyDocument: expect.objectContaining({
          Statement: [expect.objectContaining({ Action: 'lambda:InvokeFunction', Effect: 'Allow' })],
        }),
        Users: [{ Ref: stack.getLogicalId(user.node.defaultChild as iam.CfnUser) }],
      }),
    )
  })
})

describe('the order of a deployment', () => {
  it('migrates before what needs the schema, and after what the migration needs', () => {
    // GIVEN
    const stack = createStack()
    const migration = createMigration(stack)
    const service = new sqs.Queue(stack, 'Service')
    const route = new sqs.Queue(stack, 'Route')

    // WHEN
    migration.executeBefore(service)
    migration.executeAfter(route)

    // THEN
    const template = Template.fromStack(stack)
    const [resource, { DependsOn }] = soleResource(template, 'Custom::DatabaseMigration')
    expect(template.findResources('AWS::SQS::Queue')).toMatchObject({
      [stack.getLogicalId(service.node.defaultChild as sqs.CfnQueue)]: { DependsOn: [resource] },
    })
    expect(DependsOn).toContain(stack.getLogicalId(route.node.defaultChild as sqs.CfnQueue))
  })

  it('has no cycle when a service that waits for the migration is let into the database', () => {
    // GIVEN the rule for the service lies in the database's security group
    const stack = createStack()
    const database = createCluster(stack)
    const migration = createMigration(stack, { database })
    const service = createService(stack, database.vpc)
    database.connections.allowDefaultPortFrom(service)

    // WHEN
    migration.executeBefore(service)

    // THEN: Template.fromStack checks for cycles
    expect(() => Template.fromStack(stack)).not.toThrow()
  })

  it('tells the last applied migration', () => {
    // GIVEN
    const stack = createStack()
    const migration = createMigration(stack)

    // THEN
    const [resource] = soleResource(Template.fromStack(stack), 'Custom::DatabaseMigration')
    expect(stack.resolve(migration.current)).toEqual({ 'Fn::GetAtt': [resource, 'Current'] })
  })
})

describe('a requirement on another stack', () => {
  it('is a resource of its own, answered by that stack', () => {
    // GIVEN
    const stack = createStack()

    // WHEN
    DatabaseMigration.fromServiceToken(stack, 'Schema', { serviceToken: 'arn:function', require: '20260102_orders' })

    // THEN
    const [, requirement] = soleResource(Template.fromStack(stack), 'Custom::DatabaseRequirement')
    expect(requirement.Properties).toEqual({
      ServiceToken: 'arn:function',
      ServiceTimeout: '900',
      require: '20260102_orders',
      set: 'default',
    })
  })

  it('refuses an empty id', () => {
    const stack = createStack()
    expect(() => DatabaseMigration.fromServiceToken(stack, 'Schema', { serviceToken: 'arn', require: '' })).toThrow(
      'CONFIG_INVALID: Shop: "require" is empty. Give the id of a migration.',
    )
  })
})

describe('a mistake in the app', () => {
  it.each([
    [
      'a directory that is missing',
      { migrations: 'no/such/directory' },
      /CONFIG_INVALID: .*no\/such\/directory.*--migrations/s,
    ],
    [
      'a directory without migrations',
      { migrations: migrationsDirectory({}) },
      /CONFIG_INVALID: .* holds no migration\..*Give the directory/,
    ],
    [
      'a file that is no migration',
      { migrations: migrationsDirectory({ '1_a.sql': 'SELECT 1;\n' }) },
      /MIGRATION_INVALID: 1_a\.sql.*migrate:up.*The database has not been touched\./s,
    ],
    [
      'branches that were not merged',
      {
        migrations: migrationsDirectory({
          '1_a.sql': '-- migrate:up\nSELECT 1;\n',
          '2_b.sql': '-- lockstep:after 1_a\n-- migrate:up\nSELECT 1;\n',
          '3_c.sql': '-- lockstep:after 1_a\n-- migrate:up\nSELECT 1;\n',
        }),
      },
      /MULTIPLE_HEADS: .*"2_b" nor "3_c".*lockstep:after/s,
    ],
    ['a name of the set', { set: 'a/b' }, /CONFIG_INVALID: Shop\/Migration: "set" is "a\/b"\./],
    ['a schema that holds other things', { historySchema: 'public' }, /"historySchema" is "public"\./],
    ["a schema that is PostgreSQL's own", { historySchema: 'pg_lockstep' }, /"historySchema" is "pg_lockstep"\./],
    [
      'a restore of no snapshot',
      { onFailure: 'restore' as const, snapshot: Snapshot.none() },
      /"onFailure" is "restore", but "snapshot" is Snapshot\.none\(\).*onFailure: 'revert'/,
    ],
    [
      'a time that is too long',
      { totalTimeout: Duration.minutes(61) },
      /"totalTimeout" is 1 hour 1 minute\. Give 1 minute to 1 hour/,
    ],
    [
      'a time that is too short',
      { totalTimeout: Duration.seconds(59) },
      /"totalTimeout" is 59 seconds\. Give 1 minute/,
    ],
  ])('is told at synth: %s', (_, props, message) => {
    const stack = createStack()
    expect(() => createMigration(stack, props)).toThrow(message)
  })
})

function createService(stack: Stack, vpc: ReturnType<typeof createCluster>['vpc']): lambda.Function {
  return new lambda.Function(stack, 'Service', {
    runtime: lambda.Runtime.NODEJS_24_X,
    handler: 'index.handler',
    code: lambda.Code.fromInline('exports.handler = () => {}'),
    vpc,
  })
}
