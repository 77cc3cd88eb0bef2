import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Stack, Validations, type App, type StackProps } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import * as lambda from 'aws-cdk-lib/aws-lambda'
import type * as rds from 'aws-cdk-lib/aws-rds'
import { AwsSolutionsChecks } from 'cdk-nag'
import type { Construct } from 'constructs'
import { describe, expect, it } from 'vitest'
import { createExampleDatabase } from '../../infra/example-database.ts'
import {
  DatabaseMigration,
  MigrationStack,
  Snapshot,
  type DatabaseMigrationProps,
  type DatabaseSource,
} from '../../infra/index.ts'
import { createApp, createCluster, createStack, existingDatabase, SHOP_DIRECTORY, soleResource } from './fixtures.ts'

const migrations = SHOP_DIRECTORY

function createMigrationStack(
  app: App,
  database: (stack: Stack) => DatabaseSource = existingDatabase,
  more: Partial<DatabaseMigrationProps> = {},
): MigrationStack {
  return new MigrationStack(app, 'ShopDatabase', {
    migration: (stack) => ({ database: database(stack), migrations, ...more }),
  })
}

describe('a migration stack', () => {
  it('tells function, service token and bucket', () => {
    // WHEN
    const template = Template.fromStack(createMigrationStack(createApp()))

    // THEN
    expect(template.findOutputs('*')).toMatchObject({
      FunctionName: { Value: { Ref: expect.stringMatching('^MigrationFunction') } },
      ServiceToken: { Value: { 'Fn::GetAtt': [expect.stringContaining('frameworkonEvent'), 'Arn'] } },
      SnapshotBucketName: { Value: { Ref: 'MigrationSnapshotBucket810D29DD' } },
    })
  })

  it('can be required by a stack that is deployed after it', () => {
    // GIVEN
    const app = createApp()
    const { migration } = createMigrationStack(app)
    const shop = createStack(app)

    // WHEN
    DatabaseMigration.fromServiceToken(shop, 'Schema', {
      serviceToken: migration.serviceToken,
      require: '20260102_orders',
    })

    // THEN
    const [, requirement] = soleResource(Template.fromStack(shop), 'Custom::DatabaseRequirement')
    expect(requirement.Properties).toMatchObject({
      ServiceToken: { 'Fn::ImportValue': expect.stringMatching('^ShopDatabase:') },
      require: '20260102_orders',
    })
    expect(shop.dependencies.map((stack) => stack.stackName)).toEqual(['ShopDatabase'])
  })

  it('keeps construct ids stable: another id would replace the resource', () => {
    const template = Template.fromStack(createMigrationStack(createApp()))
    expect(Object.keys(template.findResources('Custom::DatabaseMigration'))).toEqual(['MigrationC13A4580'])
    expect(Object.keys(template.findResources('AWS::S3::Bucket'))).toEqual(['MigrationSnapshotBucket810D29DD'])
    expect(Object.keys(template.findResources('AWS::KMS::Key'))).toEqual(['MigrationSnapshotKeyA3D587FB'])
  })
})

/** Findings of cdk-nag that stand, with why. Everything else fails the test; so does one that no longer occurs. */
const JUSTIFIED: Readonly<Record<string, string>> = {
  'ShopDatabase/Migration/Function/ServiceRole/Resource AwsSolutions-IAM4':
    'AWS keeps the managed policies for logging and network interfaces in step with what Lambda needs.',
  'ShopDatabase/Migration/Function/ServiceRole/DefaultPolicy/Resource AwsSolutions-IAM5':
    'Snapshots have names that are not known at deployment; the wildcard is below one prefix of one bucket.',
  'ShopDatabase/Migration/Provider/framework-onEvent/ServiceRole/Resource AwsSolutions-IAM4':
    "The CDK's Provider framework logs with AWS's managed policy.",
  'ShopDatabase/Migration/Provider/framework-onEvent/ServiceRole/DefaultPolicy/Resource AwsSolutions-IAM5':
    "The CDK's Provider framework may invoke every version of the one function.",
  'ShopDatabase/Migration/SnapshotBucket/Resource AwsSolutions-S1':
    'Server access logs cannot be delivered to a bucket with a customer key; CloudTrail data events record access.',
}

const JUSTIFIED_IN_EXAMPLE: Readonly<Record<string, string>> = {
  ...JUSTIFIED,
  'ShopDatabase/Network/Resource AwsSolutions-VPC7': 'The example costs nothing beyond what it shows.',
  'ShopDatabase/Network/SecretsManager/SecurityGroup/Resource AwsSolutions-EC23':
    "The rule cannot read the VPC's own address range, which is a token.",
  'ShopDatabase/Database/Secret/Resource AwsSolutions-SMG4':
    'Rotation needs a function of its own; Lockstep reads the secret anew for every connection.',
}

const JUSTIFIED_WHEN_DISTRIBUTED: Readonly<Record<string, string>> = {
  ...JUSTIFIED,
  'ShopDatabase/Migration/SnapshotMachine/Resource AwsSolutions-SF1':
    'What an invocation does is in the log of the function, and why it fails is kept beside the snapshot.',
  'ShopDatabase/Migration/SnapshotMachine/Resource AwsSolutions-SF2':
    'The machine only invokes one function; where time goes is in its log.',
  'ShopDatabase/Migration/SnapshotMachinePolicy/Resource AwsSolutions-IAM5':
    "Snapshots have names that are not known at deployment; the wildcards are below one prefix of one bucket, and the machine's own executions.",
}

describe('cdk-nag', () => {
  it('finds nothing in a migration stack but what is justified', () => {
    const app = createApp()
    createMigrationStack(app)
    expect(findingsIn(app)).toEqual(Object.keys(JUSTIFIED).toSorted())
  })

  it('finds nothing in one that distributes copies but what is justified', () => {
    const app = createApp()
    createMigrationStack(app, existingDatabase, { snapshot: Snapshot.logical({ workers: 'distributed' }) })
    expect(findingsIn(app)).toEqual(Object.keys(JUSTIFIED_WHEN_DISTRIBUTED).toSorted())
  })

  it('finds nothing in one whose snapshots are of the storage but what is justified', () => {
    const app = createApp()
    createMigrationStack(app, existingDatabase, { snapshot: Snapshot.rds({ clusterIdentifier: 'shop' }) })
    expect(findingsIn(app)).toEqual(Object.keys(JUSTIFIED).toSorted())
  })

  it('finds nothing in the example but what is justified', () => {
    const app = createApp()
    createMigrationStack(app, createExampleDatabase)
    expect(findingsIn(app)).toEqual(Object.keys(JUSTIFIED_IN_EXAMPLE).toSorted())
  })
})

describe('the example of the README', () => {
  it('migrates the database of another stack before the application is updated', () => {
    interface ShopProps extends StackProps {
      readonly cluster: rds.DatabaseCluster
      readonly code: lambda.Code
    }

    class ShopStack extends Stack {
      readonly shop: lambda.Function

      constructor(scope: Construct, id: string, { cluster, code, ...props }: ShopProps) {
        super(scope, id, props)
        const migration = new DatabaseMigration(this, 'Migration', { database: cluster, migrations })
        this.shop = new lambda.Function(this, 'Shop', {
          code,
          handler: 'index.handler',
          runtime: lambda.Runtime.NODEJS_24_X,
        })
        migration.executeBefore(this.shop)
      }
    }

    // GIVEN
    const app = createApp()
    const cluster = createCluster(createStack(app, 'Database'))

    // WHEN
    const stack = new ShopStack(app, 'ShopApp', { cluster, code: lambda.Code.fromInline('exports.handler = () => {}') })

    // THEN
    const functions = Template.fromStack(stack).findResources('AWS::Lambda::Function')
    expect(functions[stack.getLogicalId(stack.shop.node.defaultChild as lambda.CfnFunction)]).toMatchObject({
      DependsOn: expect.arrayContaining(['MigrationC13A4580']),
    })
  })
})

interface ValidationReport {
  readonly pluginReports: readonly {
    readonly violations: readonly {
      readonly ruleName: string
      readonly violatingConstructs: readonly { readonly constructPath: string }[]
    }[]
  }[]
}

/** `<construct> <rule>`, each once, sorted; without the details that a rule puts in brackets. */
function findingsIn(app: App): readonly string[] {
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app))
  expect(() => app.synth()).toThrow('AwsSolutions-S1')
  const path = join(app.outdir, 'validation-report.json')
  const { pluginReports } = JSON.parse(readFileSync(path, 'utf8')) as ValidationReport
  const findings = pluginReports.flatMap(({ violations }) =>
    violations.flatMap(({ ruleName, violatingConstructs }) =>
      violatingConstructs.map(({ constructPath }) => `${constructPath} ${ruleName.replace(/\[.*$/, '')}`),
    ),
  )
  return [...new Set(findings)].toSorted()
}
