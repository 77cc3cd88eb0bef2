import { Duration } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import * as kms from 'aws-cdk-lib/aws-kms'
import { describe, expect, it } from 'vitest'
import { Snapshot, type DatabaseMigrationProps } from '../../infra/index.ts'
import { createMigration, createStack, type TemplateResource } from './fixtures.ts'
import { textOf, type Statement } from './iam.ts'

/** Every resource with a wildcard that a role may do something to, and why it cannot do without. */
const UNAVOIDABLE: Readonly<Record<string, string>> = {
  '<SnapshotBucket>/lockstep/Shop/default/*': 'keys of snapshots hold the time at which they are taken',
  '<SnapshotBucket>/lockstep/Shop/default/*/copying/*': 'so do those of the work lists in them',
  '<Function>:*': 'the framework grants the versions of the function along with it',
  '<ProviderframeworkisComplete>:*': 'as above, of the function that is asked',
  '<ProviderframeworkonTimeout>:*': 'as above, of the function that is told',
  'states:execution:Shop-Migration-A9B33383-copy:*': 'names of executions are those of runs',
  'states:execution:Shop-Migration-A9B33383-copy*': 'names of map runs follow behind a slash',
  'rds:cluster-snapshot:lockstep-shop-572ccdaa-*': 'names of snapshots end with those of runs',
  'rds:cluster-snapshot:*': 'RDS checks a list against the name "*"; it is granted for reading alone',
}

/** Those of AWS name every resource: network interfaces and log groups do not exist before the function. */
const MANAGED = ['AWSLambdaBasicExecutionRole', 'AWSLambdaVPCAccessExecutionRole']

type Snapshots = 'logical' | 'rds' | 'distributed' | 'none'

function templateOf(snapshots: Snapshots, ownKey: boolean): Template {
  const stack = createStack()
  const encryptionKey = ownKey ? { encryptionKey: new kms.Key(stack, 'Key') as kms.IKey } : {}
  createMigration(stack, { ...snapshotOf(snapshots), ...encryptionKey, totalTimeout: Duration.hours(1) })
  return Template.fromStack(stack)
}

function snapshotOf(snapshots: Snapshots): Partial<DatabaseMigrationProps> {
  switch (snapshots) {
    case 'logical':
      return {}
    case 'rds':
      return { snapshot: Snapshot.rds({ clusterIdentifier: 'shop' }) }
    case 'distributed':
      return { snapshot: Snapshot.logical({ workers: 'distributed' }) }
    case 'none':
      return { snapshot: Snapshot.none() }
    default:
      return snapshots satisfies never
  }
}

function resourcesOf(template: Template, type: string): readonly TemplateResource[] {
  return Object.values(template.findResources(type)) as TemplateResource[]
}

function statementsIn(document: unknown): readonly Statement[] {
  return (document as { readonly Statement: readonly Statement[] }).Statement
}

/** What roles may do: in policies of their own and in those that are written into them. */
function grantsOf(template: Template): readonly Statement[] {
  const inline = resourcesOf(template, 'AWS::IAM::Role').flatMap(
    ({ Properties }) => (Properties['Policies'] ?? []) as readonly { readonly PolicyDocument: unknown }[],
  )
  const attached = resourcesOf(template, 'AWS::IAM::Policy').map(({ Properties }) => Properties)
  return [...attached, ...inline].flatMap(({ PolicyDocument }) => statementsIn(PolicyDocument))
}

function listOf<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? value : [value as T]
}

/** Without what CloudFormation adds to names, and without partition, region and account. */
function plain(resource: unknown): string {
  return textOf(resource)
    .replaceAll(/<Migration(\w+?)[0-9A-F]{8}>/g, '<$1>')
    .replace('arn:<AWS::Partition>:', '')
    .replace('<AWS::Region>:<AWS::AccountId>:', '')
}

describe.each<Snapshots>(['logical', 'rds', 'distributed', 'none'])('with snapshots "%s"', (snapshots) => {
  describe.each([false, true])('and a key of its own: %s', (ownKey) => {
    const template = templateOf(snapshots, ownKey)

    it('no role may do something to resources that are not known, but for those that cannot be', () => {
      const resources = grantsOf(template).flatMap(({ Resource }) => listOf(Resource).map(plain))
      expect(resources).not.toEqual([])
      const open = resources.filter((resource) => /[*?]/.test(resource))
      expect(open.filter((resource) => UNAVOIDABLE[resource] === undefined)).toEqual([])
    })

    it('every action is named', () => {
      const actions = grantsOf(template).flatMap(({ Action }) => listOf(Action))
      expect(actions.filter((action) => action.includes('*'))).toEqual([])
    })

    it("AWS's own policies are only those of a function in a network", () => {
      const roles = resourcesOf(template, 'AWS::IAM::Role')
      const managed = roles.flatMap(({ Properties }) => (Properties['ManagedPolicyArns'] ?? []) as readonly unknown[])
      const names = managed.map((arn) => textOf(arn).replace(/^.*\//, ''))
      expect([...new Set(names)].toSorted()).toEqual(MANAGED)
    })

    it('roles are for services alone', () => {
      const trusts = resourcesOf(template, 'AWS::IAM::Role').flatMap(({ Properties }) =>
        statementsIn(Properties['AssumeRolePolicyDocument']),
      ) as readonly { readonly Principal?: unknown }[]
      const services = trusts.map(({ Principal }) => Principal)
      expect(services.filter((principal) => JSON.stringify(principal) !== serviceNamedIn(principal))).toEqual([])
    })

    it('a bucket refuses everybody, and a key trusts its account', () => {
      const ofBuckets = resourcesOf(template, 'AWS::S3::BucketPolicy').flatMap(({ Properties }) =>
        statementsIn(Properties.PolicyDocument),
      )
      expect(ofBuckets.map(({ Effect }) => Effect)).toEqual(['Deny', 'Deny'])
      const keys = resourcesOf(template, 'AWS::KMS::Key').flatMap(({ Properties }) =>
        statementsIn(Properties['KeyPolicy']),
      )
      const trusted = keys.map((statement) =>
        textOf((statement as unknown as { Principal: { AWS: unknown } }).Principal.AWS),
      )
      // "*" is the key itself there.
      expect(trusted).toEqual(['arn:<AWS::Partition>:iam::<AWS::AccountId>:root'])
    })
  })
})

it('every exception is one that is made', () => {
  const all = (['logical', 'rds', 'distributed'] as const).flatMap((snapshots) =>
    grantsOf(templateOf(snapshots, false)),
  )
  const resources = new Set(all.flatMap(({ Resource }) => listOf(Resource).map(plain)))
  expect(Object.keys(UNAVOIDABLE).filter((resource) => !resources.has(resource))).toEqual([])
})

function serviceNamedIn(principal: unknown): string {
  const { Service } = principal as { readonly Service?: unknown }
  return JSON.stringify({ Service: typeof Service === 'string' && Service.endsWith('.amazonaws.com') ? Service : '' })
}
