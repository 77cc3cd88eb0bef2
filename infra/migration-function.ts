import { ScopedAws, Stack, type Duration } from 'aws-cdk-lib'
import * as ec2 from 'aws-cdk-lib/aws-ec2'
import * as iam from 'aws-cdk-lib/aws-iam'
import * as lambda from 'aws-cdk-lib/aws-lambda'
import type * as logs from 'aws-cdk-lib/aws-logs'
import type { Construct } from 'constructs'
import { ENVIRONMENT } from '../lambda/contract.ts'
import { policyVariables } from '../lambda/policy-variables.ts'
import { CERTIFICATE_AUTHORITY_FILE, MIGRATIONS_FOLDER } from './bundle.ts'
import type { DatabaseMigrationProps } from './database-migration-props.ts'
import type { DatabaseTarget } from './database-target.ts'
import { defined } from './defined.ts'
import type { MigrationSet } from './migration-set.ts'
import type { MigrationSettings } from './migration-settings.ts'
import type { RunTime } from './run-time.ts'
import { snapshotEnvironment, type SnapshotEnvironmentInput } from './snapshot-environment.ts'
import { withStagedBundle } from './stage-bundle.ts'

export interface MigrationFunctionInput {
  readonly props: DatabaseMigrationProps
  readonly settings: MigrationSettings
  readonly time: RunTime
  readonly migrations: MigrationSet
  readonly target: DatabaseTarget
  readonly snapshots: Omit<SnapshotEnvironmentInput, 'settings'>
  readonly logGroup: logs.ILogGroup
}

/** The one function: answers CloudFormation, a person in the console, and a pipeline. */
export function createMigrationFunction(scope: Construct, input: MigrationFunctionInput): lambda.Function {
  const { props, migrations, target } = input
  const { certificateAuthority } = props
  const securityGroup = createSecurityGroup(scope, target.vpc)
  const fn = withStagedBundle(
    scope,
    { migrations, certificateAuthority },
    (code) =>
      new lambda.Function(scope, 'Function', {
        description: `Lockstep: migrates a database, set "${input.settings.set}"`,
        runtime: lambda.Runtime.NODEJS_24_X,
        architecture: lambda.Architecture.ARM_64,
        handler: 'index.handler',
        code,
        timeout: input.time.invocation,
        memorySize: props.memorySize ?? 1024,
        vpc: target.vpc,
        ...defined({ vpcSubnets: props.vpcSubnets }),
        securityGroups: [securityGroup],
        logGroup: input.logGroup,
        environment: environmentOf(input),
      }),
  )
  // So that it can tell a rollback from a deployment of older code. Not with addToRolePolicy: a feature flag makes that
  // a policy of its own, which the function would not wait for.
  fn.grantPrincipal.addToPrincipalPolicy(
    new iam.PolicyStatement({ actions: ['cloudformation:DescribeStacks'], resources: [...stackIds(Stack.of(scope))] }),
  )
  return fn
}

/**
 * Of a stack and of those that it is nested in: what rolls back may be one of them. Each as it names itself: as its parent
 * names it, it would be a parameter of its own.
 */
function stackIds(stack: Stack): readonly string[] {
  const { nestedStackParent: around } = stack
  return [new ScopedAws(stack).stackId, ...(around === undefined ? [] : stackIds(around))]
}

/** Nothing comes in; out go AWS APIs and name servers, and the database's port, added with the rule on its side. */
function createSecurityGroup(scope: Construct, vpc: ec2.IVpc): ec2.SecurityGroup {
  const group = new ec2.SecurityGroup(scope, 'SecurityGroup', {
    vpc,
    description: 'Lockstep migration function',
    allowAllOutbound: false,
  })
  group.addEgressRule(ec2.Peer.anyIpv4(), ec2.Port.HTTPS, 'Secrets Manager, S3, CloudFormation and RDS')
  // Amazon's resolver needs no rule; a network with name servers of its own does.
  group.addEgressRule(ec2.Peer.anyIpv4(), ec2.Port.DNS_UDP, 'Name servers')
  group.addEgressRule(ec2.Peer.anyIpv4(), ec2.Port.DNS_TCP, 'Name servers')
  return group
}

/** The function's environment. Never the password: the function reads it from the secret. */
function environmentOf({
  props,
  settings,
  time,
  migrations,
  target,
  snapshots,
}: MigrationFunctionInput): Record<string, string> {
  const values: Partial<Record<keyof typeof ENVIRONMENT, string | undefined>> = {
    secretArn: target.secret.secretArn,
    databaseHost: target.endpoint.host,
    databasePort: target.endpoint.port,
    databaseName: props.databaseName,
    tls: settings.tls,
    certificateAuthority: props.certificateAuthority === undefined ? undefined : CERTIFICATE_AUTHORITY_FILE,
    set: settings.set,
    historySchema: settings.historySchema,
    migrations: MIGRATIONS_FOLDER,
    migrationsDigest: migrations.digest,
    ...snapshotEnvironment({ ...snapshots, settings: settings.snapshot }),
    transaction: settings.transaction,
    onRollback: settings.onRollback,
    onFailure: settings.onFailure,
    autoApply: String(settings.autoApply),
    totalTimeout: secondsOf(time.allInvocations),
    lockTimeout: secondsOf(props.lockTimeout),
    connectTimeout: secondsOf(props.connectTimeout),
  }
  const policy = policyVariables(settings.policy ?? {})
  const named = Object.fromEntries(
    Object.entries(defined(values)).map(([name, value]) => [ENVIRONMENT[name as keyof typeof ENVIRONMENT], value]),
  )
  return { ...named, ...policy }
}

function secondsOf(duration: Duration | undefined): string | undefined {
  return duration === undefined ? undefined : String(duration.toSeconds())
}
