import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { App, Stack } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import * as ec2 from 'aws-cdk-lib/aws-ec2'
import * as rds from 'aws-cdk-lib/aws-rds'
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager'
import { afterAll } from 'vitest'
import { DatabaseMigration, type DatabaseMigrationProps, type ExistingDatabase } from '../../infra/index.ts'

const root = mkdtempSync(join(tmpdir(), 'lockstep-infra-test-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

/** A new empty directory that is removed with the file's tests. */
export function temporaryDirectory(name: string): string {
  return mkdtempSync(join(root, `${name}-`))
}

export const SHOP = {
  '20260101_products.sql': '-- migrate:up\nCREATE TABLE products (id int);\n-- migrate:down\nDROP TABLE products;\n',
  '20260102_orders.sql': '-- migrate:up\nCREATE TABLE orders (id int);\n-- migrate:down\nDROP TABLE orders;\n',
} as const

/** A directory with these migration files. */
export function migrationsDirectory(files: Readonly<Record<string, string>> = SHOP): string {
  const directory = temporaryDirectory('migrations')
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true })
    writeFileSync(join(directory, name), text)
  }
  return directory
}

/** A directory with the files of {@link SHOP}, for tests that only need one. */
export const SHOP_DIRECTORY = migrationsDirectory()

export const SECRET_ARN = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:shop-AbCdEf'

export function createApp(): App {
  // CDK's own check of the template takes longer than all else; `app.test.ts` has it on.
  return new App({ autoSynth: false, builtinCloudFormationValidation: false, outdir: temporaryDirectory('cdk.out') })
}

export function createStack(app: App = createApp(), id = 'Shop'): Stack {
  return new Stack(app, id)
}

export function createVpc(stack: Stack): ec2.IVpc {
  return new ec2.Vpc(stack, 'Vpc') as ec2.IVpc
}

export function importedVpc(stack: Stack): ec2.IVpc {
  return ec2.Vpc.fromVpcAttributes(stack, 'Vpc', {
    vpcId: 'vpc-0123456789abcdef0',
    availabilityZones: ['eu-central-1a', 'eu-central-1b'],
    privateSubnetIds: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'],
  })
}

export function importedSecret(stack: Stack): secretsmanager.ISecret {
  return secretsmanager.Secret.fromSecretCompleteArn(stack, 'Secret', SECRET_ARN)
}

export function existingDatabase(stack: Stack, rest: Partial<ExistingDatabase> = {}): ExistingDatabase {
  return {
    secret: importedSecret(stack),
    vpc: importedVpc(stack),
    securityGroups: [ec2.SecurityGroup.fromSecurityGroupId(stack, 'DatabaseGroup', 'sg-0123456789abcdef0')],
    ...rest,
  }
}

export function createInstance(stack: Stack): rds.DatabaseInstance {
  return new rds.DatabaseInstance(stack, 'Database', {
    engine: rds.DatabaseInstanceEngine.postgres({ version: rds.PostgresEngineVersion.VER_17 }),
    storageEncrypted: true,
    vpc: createVpc(stack),
  })
}

export function createCluster(stack: Stack, props: Partial<rds.DatabaseClusterProps> = {}): rds.DatabaseCluster {
  return new rds.DatabaseCluster(stack, 'Database', {
    engine: rds.DatabaseClusterEngine.auroraPostgres({ version: rds.AuroraPostgresEngineVersion.VER_17_9 }),
    writer: rds.ClusterInstance.serverlessV2('Writer'),
    storageEncrypted: true,
    vpc: createVpc(stack),
    ...props,
  })
}

/** A migration of an existing database, with `props` over the defaults. */
export function createMigration(stack: Stack, props: Partial<DatabaseMigrationProps> = {}): DatabaseMigration {
  return new DatabaseMigration(stack, 'Migration', {
    database: props.database ?? existingDatabase(stack),
    migrations: props.migrations ?? SHOP_DIRECTORY,
    ...props,
  })
}

/** The template of a stack with one migration of an existing database. */
export function synthesize(props: Partial<DatabaseMigrationProps> = {}): Template {
  const stack = createStack()
  createMigration(stack, props)
  return Template.fromStack(stack)
}

/** A resource as it stands in a template. */
export interface TemplateResource {
  readonly Type: string
  readonly Properties: Readonly<Record<string, unknown>>
  readonly DependsOn?: readonly string[]
  readonly Metadata?: Readonly<Record<string, string>>
}

/** The only resource of its type, by its logical id. */
export function soleResource(template: Template, type: string): readonly [string, TemplateResource] {
  const found = Object.entries(template.findResources(type)) as [string, TemplateResource][]
  const [first] = found
  if (first === undefined || found.length > 1) throw new Error(`${found.length} resources of type ${type}`)
  return first
}

export function migrationResource(template: Template): TemplateResource {
  return soleResource(template, 'Custom::DatabaseMigration')[1]
}

/** The migration function's resource; not the Provider framework's. */
export function migrationFunction(template: Template): TemplateResource {
  const found = template.findResources('AWS::Lambda::Function', { Properties: { Handler: 'index.handler' } })
  const [first] = Object.values(found) as TemplateResource[]
  if (first === undefined) throw new Error('no migration function')
  return first
}
