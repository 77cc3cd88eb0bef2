import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { NestedStack, SecretValue, Stack } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import * as kms from 'aws-cdk-lib/aws-kms'
import * as rds from 'aws-cdk-lib/aws-rds'
import * as s3 from 'aws-cdk-lib/aws-s3'
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager'
import { describe, expect, it } from 'vitest'
import { Snapshot, type DatabaseMigrationProps } from '../../infra/index.ts'
import {
  createApp,
  createCluster,
  createMigration,
  createStack,
  existingDatabase,
  SECRET_ARN,
  synthesize,
  type TemplateResource,
} from './fixtures.ts'
import { allows, type Attempt, type Statement } from './iam.ts'

/** What the function's role may do, beyond AWS's managed policies for a function in a network. */
function statementsOf(template: Template): readonly Statement[] {
  const policies = Object.entries(template.findResources('AWS::IAM::Policy')) as [string, TemplateResource][]
  return policies
    .filter(([id]) => id.startsWith('MigrationFunction'))
    .flatMap(
      ([, { Properties }]) => (Properties.PolicyDocument as { readonly Statement: readonly Statement[] }).Statement,
    )
}

/** What a stack gives those that are nested in it. */
function parametersIn(stack: Stack): readonly unknown[] {
  const nested = Template.fromStack(stack).findResources('AWS::CloudFormation::Stack')
  return Object.values(nested).map(({ Properties }) => (Properties as { readonly Parameters: unknown }).Parameters)
}

function functionStatements(props: Partial<DatabaseMigrationProps> = {}): readonly Statement[] {
  return statementsOf(synthesize(props))
}

const PREFIX = 'lockstep/Shop/default'

describe('the permissions of the function', () => {
  it('are these and no others', () => {
    // GIVEN
    const stack = createStack()
    createMigration(stack)

    // THEN
    const bucket = { 'Fn::GetAtt': ['MigrationSnapshotBucket810D29DD', 'Arn'] }
    expect(statementsOf(Template.fromStack(stack))).toEqual([
      { Action: 'cloudformation:DescribeStacks', Effect: 'Allow', Resource: { Ref: 'AWS::StackId' } },
      {
        Action: ['secretsmanager:GetSecretValue', 'secretsmanager:DescribeSecret'],
        Effect: 'Allow',
        Resource: SECRET_ARN,
      },
      {
        Action: ['s3:PutObject', 's3:GetObject', 's3:DeleteObject', 's3:AbortMultipartUpload'],
        Effect: 'Allow',
        Resource: { 'Fn::Join': ['', [bucket, `/${PREFIX}/*`]] },
      },
      {
        Action: 's3:ListBucket',
        Effect: 'Allow',
        Resource: bucket,
        Condition: { StringLike: { 's3:prefix': `${PREFIX}/*` } },
      },
      {
        Action: ['kms:GenerateDataKey', 'kms:Decrypt'],
        Effect: 'Allow',
        Resource: { 'Fn::GetAtt': ['MigrationSnapshotKeyA3D587FB', 'Arn'] },
      },
    ])
  })

  it('include the status of the stacks that its own is nested in, each as it names itself', () => {
    // GIVEN
    const root = createStack()
    const inner = new NestedStack(new NestedStack(root, 'Outer'), 'Inner')

    // WHEN
    createMigration(inner)

    // THEN
    const [{ Resource: stacks } = {}] = statementsOf(Template.fromStack(inner))
    const [own, outer, outermost] = stacks as readonly { readonly Ref: string }[]
    expect(own).toEqual({ Ref: 'AWS::StackId' })
    const [named, further] = [outer?.Ref ?? '', outermost?.Ref ?? '']
    expect(parametersIn(Stack.of(inner.nestedStackResource ?? inner))).toEqual([
      { [named]: { Ref: 'AWS::StackId' }, [further]: { Ref: further } },
    ])
    expect(parametersIn(root)).toEqual([{ [further]: { Ref: 'AWS::StackId' } }])
  })

  it('never name every resource', () => {
    const stack = createStack()
    createMigration(stack)
    expect(statementsOf(Template.fromStack(stack)).filter(({ Resource }) => Resource === '*')).toEqual([])
  })

  it('include the key of the secret and that of a bucket that is brought along', () => {
    // GIVEN
    const stack = createStack()
    const keyOf = (name: string): kms.IKey =>
      kms.Key.fromKeyArn(stack, name, `arn:aws:kms:eu-central-1:111122223333:key/${name}`)
    const secret = secretsmanager.Secret.fromSecretAttributes(stack, 'OwnSecret', {
      secretCompleteArn: SECRET_ARN,
      encryptionKey: keyOf('of-secret'),
    })
    const snapshotBucket = s3.Bucket.fromBucketAttributes(stack, 'OwnBucket', {
      bucketName: 'own',
      encryptionKey: keyOf('of-bucket'),
    })

    // WHEN
    createMigration(stack, { secret, snapshotBucket })

    // THEN
    const ofKeys = statementsOf(Template.fromStack(stack)).filter(({ Resource }) =>
      String(Resource).startsWith('arn:aws:kms'),
    )
    expect(ofKeys).toEqual([
      {
        Action: 'kms:Decrypt',
        Effect: 'Allow',
        Resource: expect.stringMatching(/of-secret$/),
        Condition: { StringEquals: { 'kms:ViaService': expect.anything() } },
      },
      {
        Action: ['kms:GenerateDataKey', 'kms:Decrypt'],
        Effect: 'Allow',
        Resource: expect.stringMatching(/of-bucket$/),
      },
    ])
  })
})

function objects(key: string): string {
  return `<MigrationSnapshotBucket810D29DD>/${key}`
}

function rdsArn(resource: string): string {
  return `arn:<AWS::Partition>:rds:<AWS::Region>:<AWS::AccountId>:${resource}`
}

describe('the objects of a bucket', () => {
  const own = objects(`${PREFIX}/shop/20260101T000000Z-1/manifest.json`)
  const list = { action: 's3:ListBucket', resource: '<MigrationSnapshotBucket810D29DD>' }

  it.each<[string, Attempt]>([
    ['reads', { action: 's3:GetObject', resource: own }],
    ['writes', { action: 's3:PutObject', resource: own }],
    ['deletes', { action: 's3:DeleteObject', resource: own }],
    ['gives up an upload of', { action: 's3:AbortMultipartUpload', resource: own }],
    ['lists', { ...list, conditions: { 's3:prefix': `${PREFIX}/shop/` } }],
  ])('the function %s its own', (_, attempt) => {
    expect(allows(functionStatements(), attempt)).toBe(true)
  })

  it.each<[string, Attempt]>([
    ['read those of another stack', { action: 's3:GetObject', resource: objects('lockstep/Billing/default/x') }],
    ['read those of another set', { action: 's3:GetObject', resource: objects('lockstep/Shop/billing/x') }],
    ['read those of a set with a longer name', { action: 's3:GetObject', resource: objects(`${PREFIX}2/x`) }],
    ['read what else is in the bucket', { action: 's3:GetObject', resource: objects('x') }],
    ['write those of another set', { action: 's3:PutObject', resource: objects('lockstep/Shop/billing/x') }],
    ['delete those of another set', { action: 's3:DeleteObject', resource: objects('lockstep/Shop/billing/x') }],
    ['delete versions', { action: 's3:DeleteObjectVersion', resource: own }],
    ['read versions', { action: 's3:GetObjectVersion', resource: own }],
    ['end a lock', { action: 's3:BypassGovernanceRetention', resource: own }],
    ['change a lock', { action: 's3:PutObjectRetention', resource: own }],
    ['make them public', { action: 's3:PutObjectAcl', resource: own }],
    ['read other buckets', { action: 's3:GetObject', resource: `<Other>/${PREFIX}/x` }],
    ['list the whole bucket', list],
    ['list those of another set', { ...list, conditions: { 's3:prefix': 'lockstep/Shop/billing/' } }],
    ['change the rules of the bucket', { action: 's3:PutLifecycleConfiguration', resource: list.resource }],
    ['change its policy', { action: 's3:PutBucketPolicy', resource: list.resource }],
    ['delete it', { action: 's3:DeleteBucket', resource: list.resource }],
  ])('the function cannot %s', (_, attempt) => {
    expect(allows(functionStatements(), attempt)).toBe(false)
  })
})

describe('the snapshots of RDS', () => {
  const snapshot = Snapshot.rds({ clusterIdentifier: 'shop' })
  const statements = (): readonly Statement[] => functionStatements({ snapshot })
  const own = 'cluster-snapshot:lockstep-shop-572ccdaa-0'

  it('are taken of this server alone, and read and deleted by their names', () => {
    expect(statements().filter(({ Action }) => String(Action).startsWith('rds:'))).toHaveLength(3)
    const allowed = (action: string, resource: string): boolean =>
      allows(statements(), { action: `rds:${action}`, resource: rdsArn(resource) })
    expect([
      allowed('CreateDBClusterSnapshot', 'cluster:shop'),
      allowed('CreateDBClusterSnapshot', own),
      allowed('AddTagsToResource', own),
      allowed('DeleteDBClusterSnapshot', own),
      allowed('DescribeDBClusterSnapshots', 'cluster:shop'),
      allowed('DescribeDBClusterSnapshots', 'cluster-snapshot:*'),
    ]).toEqual([true, true, true, true, true, true])
  })

  it.each([
    ['CreateDBClusterSnapshot', 'cluster:shop2'],
    ['CreateDBClusterSnapshot', 'cluster-snapshot:nightly'],
    ['DeleteDBClusterSnapshot', 'cluster-snapshot:nightly'],
    ['DeleteDBClusterSnapshot', 'cluster-snapshot:lockstep-billing-00000000-0'],
    ['DeleteDBSnapshot', 'snapshot:lockstep-shop-572ccdaa-0'],
    ['AddTagsToResource', 'cluster:shop'],
    ['DeleteDBCluster', 'cluster:shop'],
    ['ModifyDBCluster', 'cluster:shop'],
    ['ModifyDBClusterSnapshotAttribute', own],
    ['RestoreDBClusterFromSnapshot', own],
  ])('cannot be the reason for %s of %s', (action, resource) => {
    expect(allows(statements(), { action: `rds:${action}`, resource: rdsArn(resource) })).toBe(false)
  })

  it('are not granted where the snapshots are logical', () => {
    expect(functionStatements().filter(({ Action }) => String(Action).includes('rds:'))).toEqual([])
  })
})

describe('a database of another stack', () => {
  it('makes no cycle, with a key of its own for its secret', () => {
    // GIVEN
    const app = createApp()
    const owner = createStack(app, 'Owner')
    const encryptionKey = new kms.Key(owner, 'Key') as kms.IKey
    const database = createCluster(owner, {
      credentials: rds.Credentials.fromGeneratedSecret('shop', { encryptionKey }),
    })
    const stack = createStack(app)

    // WHEN
    createMigration(stack, { database })

    // THEN
    const template = Template.fromStack(stack)
    const arn = { 'Fn::ImportValue': expect.stringMatching(/^Owner:.*Key/) }
    expect(statementsOf(template)).toContainEqual(expect.objectContaining({ Action: 'kms:Decrypt', Resource: arn }))
    expect(template.findResources('AWS::EC2::SecurityGroupIngress')).not.toEqual({})
    expect(owner.dependencies).toEqual([])
  })
})

describe('a secret that is known by its name', () => {
  it('is granted whatever characters Secrets Manager has added', () => {
    // GIVEN
    const stack = createStack()
    const secret = secretsmanager.Secret.fromSecretNameV2(stack, 'Named', 'shop')

    // WHEN
    createMigration(stack, { secret })

    // THEN
    const [statement] = statementsOf(Template.fromStack(stack)).filter(({ Action }) =>
      Action.includes('secretsmanager:GetSecretValue'),
    )
    expect(JSON.stringify(statement?.Resource)).toMatch(/:secret:shop-\?{6}"/)
  })
})

describe('a secret', () => {
  it('appears in nothing that the migration makes', () => {
    // GIVEN a password that CDK knows, because another stack made the secret from it
    const canary = 'canary-7f3c0b1e'
    const app = createApp()
    const owner = createStack(app, 'Owner')
    const secret = new secretsmanager.Secret(owner, 'Secret', {
      secretObjectValue: {
        username: SecretValue.unsafePlainText('shop'),
        password: SecretValue.unsafePlainText(canary),
      },
    })
    const stack = createStack(app)

    // WHEN
    createMigration(stack, { database: existingDatabase(stack, { secret: secret as secretsmanager.ISecret }) })
    const assembly = app.synth()

    // THEN
    const leaks = filesOf(assembly.directory).filter((file) => readFileSync(file).includes(canary))
    expect(leaks.map((file) => basename(file)).toSorted()).toEqual(['Owner.template.json', 'tree.json'])
  })
})

function filesOf(directory: string): readonly string[] {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}
