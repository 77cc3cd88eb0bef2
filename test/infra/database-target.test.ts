import type { Stack } from 'aws-cdk-lib'
import { Match, Template } from 'aws-cdk-lib/assertions'
import * as ec2 from 'aws-cdk-lib/aws-ec2'
import * as rds from 'aws-cdk-lib/aws-rds'
import { describe, expect, it } from 'vitest'
import {
  createCluster,
  createInstance,
  createMigration,
  createStack,
  createVpc,
  existingDatabase,
  importedSecret,
  importedVpc,
  migrationFunction,
  migrationResource,
} from './fixtures.ts'

describe('an RDS instance', () => {
  it('tells secret, network, endpoint and security group', () => {
    // GIVEN
    const stack = createStack()
    const database = createInstance(stack)

    // WHEN
    createMigration(stack, { database })

    // THEN
    const template = Template.fromStack(stack)
    const [instance] = Object.keys(template.findResources('AWS::RDS::DBInstance'))
    expect(environmentOf(template)).toMatchObject({
      LOCKSTEP_DATABASE_HOST: { 'Fn::GetAtt': [instance, 'Endpoint.Address'] },
      LOCKSTEP_DATABASE_PORT: { 'Fn::GetAtt': [instance, 'Endpoint.Port'] },
      LOCKSTEP_SECRET_ARN: stack.resolve(database.secret?.secretArn),
    })
    expectRules(template, { 'Fn::GetAtt': [instance, 'Endpoint.Port'] })
    expect(migrationResource(template).DependsOn).toContain(instance)
  })
})

describe('an Aurora cluster', () => {
  it('is waited for with its instances, and with the rules that let the function in', () => {
    // GIVEN
    const stack = createStack()

    // WHEN
    createMigration(stack, { database: createCluster(stack) })

    // THEN
    const template = Template.fromStack(stack)
    for (const type of [
      'AWS::RDS::DBCluster',
      'AWS::RDS::DBInstance',
      'AWS::EC2::SecurityGroupIngress',
      'AWS::EC2::SecurityGroupEgress',
    ]) {
      expect(migrationResource(template).DependsOn).toEqual(
        expect.arrayContaining(Object.keys(template.findResources(type))),
      )
    }
  })

  it('is waited for together with the endpoints of its network, whenever they are added', () => {
    // GIVEN
    const stack = createStack()
    const database = createCluster(stack)
    createMigration(stack, { database })

    // WHEN
    database.vpc.addInterfaceEndpoint('Secrets', { service: ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER })

    // THEN
    const template = Template.fromStack(stack)
    const [endpoint] = Object.keys(template.findResources('AWS::EC2::VPCEndpoint'))
    expect(migrationResource(template).DependsOn).toContain(endpoint)
  })
})

describe('a proxy', () => {
  it('is reached at its endpoint, with the secret that is given', () => {
    // GIVEN
    const stack = createStack()
    const { database, proxy } = createProxy(stack)

    // WHEN
    createMigration(stack, { database: proxy, vpc: database.vpc, ...secretOf(database) })

    // THEN
    const template = Template.fromStack(stack)
    const [resource] = Object.keys(template.findResources('AWS::RDS::DBProxy'))
    expect(environmentOf(template)).toMatchObject({
      LOCKSTEP_DATABASE_HOST: { 'Fn::GetAtt': [resource, 'Endpoint'] },
      LOCKSTEP_DATABASE_PORT: '5432',
    })
    expectRules(template, 5432)
    expect(migrationResource(template).DependsOn).toEqual(
      expect.arrayContaining(Object.keys(template.findResources('AWS::RDS::DBProxyTargetGroup'))),
    )
  })

  it('needs its secret', () => {
    const stack = createStack()
    const { database, proxy } = createProxy(stack)
    expect(() => createMigration(stack, { database: proxy, vpc: database.vpc })).toThrow(
      'CONFIG_INVALID: Shop/Migration: the secret with its credentials cannot be read from this database. Give it as "secret".',
    )
  })

  it('needs its network', () => {
    const stack = createStack()
    const { database, proxy } = createProxy(stack)
    expect(() => createMigration(stack, { database: proxy, ...secretOf(database) })).toThrow(
      'CONFIG_INVALID: Shop/Migration: its network cannot be read from this database. Give it as "vpc".',
    )
  })

  it('is refused when it was imported, because its security groups are not known', () => {
    const stack = createStack()
    const database = rds.DatabaseProxy.fromDatabaseProxyAttributes(stack, 'Proxy', {
      dbProxyArn: 'arn:aws:rds:eu-central-1:111122223333:db-proxy:prx-1',
      dbProxyName: 'proxy',
      endpoint: 'proxy.example.com',
      securityGroups: [],
    })
    expect(() => createMigration(stack, { database, secret: importedSecret(stack), vpc: importedVpc(stack) })).toThrow(
      /security groups of an imported proxy are not known.*\{ secret, vpc, securityGroups, host \}/,
    )
  })
})

describe('an existing database', () => {
  it('leaves host and port to the secret', () => {
    // GIVEN
    const stack = createStack()
    createMigration(stack, { database: existingDatabase(stack) })

    // THEN
    const template = Template.fromStack(stack)
    expect(environmentOf(template)).not.toHaveProperty('LOCKSTEP_DATABASE_HOST')
    expect(environmentOf(template)).not.toHaveProperty('LOCKSTEP_DATABASE_PORT')
    expectRules(template, 5432)
  })

  it('is reached where it is said to be', () => {
    // GIVEN
    const stack = createStack()
    createMigration(stack, { database: existingDatabase(stack, { host: 'db.example.com', port: 6432 }) })

    // THEN
    const template = Template.fromStack(stack)
    expect(environmentOf(template)).toMatchObject({
      LOCKSTEP_DATABASE_HOST: 'db.example.com',
      LOCKSTEP_DATABASE_PORT: '6432',
    })
    expectRules(template, 6432)
  })
})

describe('an imported instance', () => {
  it('needs secret and network', () => {
    // GIVEN
    const stack = createStack()
    const database = importedInstance(stack)

    // WHEN
    createMigration(stack, { database, secret: importedSecret(stack), vpc: importedVpc(stack) })

    // THEN
    const template = Template.fromStack(stack)
    expect(environmentOf(template)).toMatchObject({ LOCKSTEP_DATABASE_HOST: 'shop.example.com' })
    expectRules(template, 5432)
  })

  it('says which of them is missing', () => {
    const stack = createStack()
    expect(() => createMigration(stack, { database: importedInstance(stack) })).toThrow('Give it as "secret".')
  })
})

describe('a database that is not PostgreSQL', () => {
  it('is refused at synth', () => {
    const stack = createStack()
    const database = new rds.DatabaseInstance(stack, 'Database', {
      engine: rds.DatabaseInstanceEngine.mysql({ version: rds.MysqlEngineVersion.VER_8_4_5 }),
      vpc: createVpc(stack),
    })
    expect(() => createMigration(stack, { database })).toThrow(
      "CONFIG_INVALID: Shop/Migration: the database's engine is mysql. Lockstep migrates PostgreSQL",
    )
  })
})

function importedInstance(stack: Stack): rds.IDatabaseInstance {
  return rds.DatabaseInstance.fromDatabaseInstanceAttributes(stack, 'Database', {
    instanceIdentifier: 'shop',
    instanceEndpointAddress: 'shop.example.com',
    port: 5432,
    securityGroups: [ec2.SecurityGroup.fromSecurityGroupId(stack, 'Group', 'sg-0123456789abcdef0')],
  })
}

function createProxy(stack: Stack): { readonly database: rds.DatabaseCluster; readonly proxy: rds.DatabaseProxy } {
  const database = createCluster(stack)
  const { secret, vpc } = database
  const proxy = new rds.DatabaseProxy(stack, 'Proxy', {
    proxyTarget: rds.ProxyTarget.fromCluster(database),
    secrets: secret === undefined ? [] : [secret],
    vpc,
  })
  return { database, proxy }
}

function secretOf({ secret }: rds.DatabaseCluster) {
  return secret === undefined ? {} : { secret }
}

function environmentOf(template: Template): unknown {
  const { Environment } = migrationFunction(template).Properties
  return (Environment as { readonly Variables: unknown }).Variables
}

/** In on the database's side and out on the function's, at this port. */
function expectRules(template: Template, port: unknown): void {
  const rule = { IpProtocol: 'tcp', FromPort: port, ToPort: port, Description: 'Lockstep migrates the database' }
  template.hasResourceProperties('AWS::EC2::SecurityGroupIngress', rule)
  template.hasResourceProperties('AWS::EC2::SecurityGroupEgress', rule)
  template.hasResourceProperties('AWS::EC2::SecurityGroup', {
    GroupDescription: 'Lockstep migration function',
    SecurityGroupEgress: [
      Match.objectLike({ IpProtocol: 'tcp', FromPort: 443, ToPort: 443 }),
      Match.objectLike({ IpProtocol: 'udp', FromPort: 53, ToPort: 53 }),
      Match.objectLike({ IpProtocol: 'tcp', FromPort: 53, ToPort: 53 }),
    ],
    SecurityGroupIngress: Match.absent(),
  })
}
