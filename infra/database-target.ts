import { Tokenization } from 'aws-cdk-lib'
import * as ec2 from 'aws-cdk-lib/aws-ec2'
import type * as rds from 'aws-cdk-lib/aws-rds'
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager'
import type { Construct, IDependable } from 'constructs'
import { resourcesOf } from './resources-of.ts'
import { invalidProperty } from './synthesis-error.ts'

/** A database that is no construct of this app. */
export interface ExistingDatabase {
  /** Holds `username` and `password`, and what is not given here: `host`, `port`, `dbname`. */
  readonly secret: secretsmanager.ISecret
  /** The network from which the database can be reached. */
  readonly vpc: ec2.IVpc
  /** The database's own security groups: they are opened to the function. */
  readonly securityGroups: readonly ec2.ISecurityGroup[]
  /** @default - the secret's `host` */
  readonly host?: string
  /** @default - the secret's `port`; the security groups are opened at 5432 */
  readonly port?: number
}

/** What can be migrated. */
export type DatabaseSource = rds.IDatabaseInstance | rds.IDatabaseCluster | rds.IDatabaseProxy | ExistingDatabase

/** What the construct needs to know of a database, whatever it was given as. */
export interface DatabaseTarget {
  readonly secret: secretsmanager.ISecret
  readonly vpc: ec2.IVpc
  readonly connections: ec2.Connections
  readonly port: ec2.Port
  /** Undefined: the secret says. */
  readonly endpoint: { readonly host?: string; readonly port?: string }
  /** The RDS instance or cluster that the database is; undefined: not known. */
  readonly storage: { readonly kind: 'instance' | 'cluster'; readonly identifier: string } | undefined
  /** What must be up before the first statement. */
  readonly resources: readonly IDependable[]
}

export interface DatabaseTargetProps {
  readonly database: DatabaseSource
  readonly secret?: secretsmanager.ISecret | undefined
  readonly vpc?: ec2.IVpc | undefined
}

const POSTGRES_PORT = 5432

const DATABASE_RESOURCES = [
  'AWS::RDS::DBInstance',
  'AWS::RDS::DBCluster',
  'AWS::RDS::DBProxy',
  'AWS::RDS::DBProxyTargetGroup',
]

/**
 * Reads endpoint, secret, network and security groups from whatever the database was given as.
 *
 * @throws SynthesisError when it is not PostgreSQL, or when its secret or network cannot be read from it.
 */
export function databaseTarget(scope: Construct, props: DatabaseTargetProps): DatabaseTarget {
  const { database } = props
  if ('instanceEndpoint' in database) {
    const storage = { kind: 'instance', identifier: database.instanceIdentifier } as const
    return { ...managedTarget(scope, props, database, database.instanceEndpoint), storage }
  }
  if ('clusterEndpoint' in database) {
    const storage = { kind: 'cluster', identifier: database.clusterIdentifier } as const
    return { ...managedTarget(scope, props, database, database.clusterEndpoint), storage }
  }
  if ('dbProxyArn' in database) return proxyTarget(scope, props, database)
  return existingTarget(props, database)
}

function managedTarget(
  scope: Construct,
  props: DatabaseTargetProps,
  database: rds.IDatabaseInstance | rds.IDatabaseCluster,
  endpoint: rds.Endpoint,
): Omit<DatabaseTarget, 'storage'> {
  refuseOtherEngines(scope, database.engine)
  return {
    secret: required(scope, 'secret', props.secret ?? ownMembers(database).secret),
    vpc: required(scope, 'vpc', props.vpc ?? ownMembers(database).vpc),
    connections: database.connections,
    port: ec2.Port.tcp(endpoint.port),
    endpoint: { host: endpoint.hostname, port: Tokenization.stringifyNumber(endpoint.port) },
    resources: [resourcesOf(database, DATABASE_RESOURCES)],
  }
}

function proxyTarget(scope: Construct, props: DatabaseTargetProps, proxy: rds.IDatabaseProxy): DatabaseTarget {
  const { connections } = ownMembers(proxy)
  if (connections === undefined) {
    throw invalidProperty(
      scope,
      'the security groups of an imported proxy are not known.',
      'Give "database" as { secret, vpc, securityGroups, host } with the proxy\'s endpoint as host.',
    )
  }
  return {
    secret: required(scope, 'secret', props.secret),
    vpc: required(scope, 'vpc', props.vpc),
    connections,
    port: ec2.Port.tcp(POSTGRES_PORT),
    endpoint: { host: proxy.endpoint, port: String(POSTGRES_PORT) },
    storage: undefined,
    resources: [resourcesOf(proxy, DATABASE_RESOURCES)],
  }
}

function existingTarget(props: DatabaseTargetProps, database: ExistingDatabase): DatabaseTarget {
  const { host, port } = database
  return {
    secret: props.secret ?? database.secret,
    vpc: props.vpc ?? database.vpc,
    connections: new ec2.Connections({ securityGroups: [...database.securityGroups] }),
    port: ec2.Port.tcp(port ?? POSTGRES_PORT),
    endpoint: {
      ...(host === undefined ? {} : { host }),
      ...(port === undefined ? {} : { port: String(port) }),
    },
    storage: undefined,
    resources: [],
  }
}

/** Members that CDK's classes have and their interfaces have not; imported databases lack them. */
interface OwnMembers {
  readonly secret?: secretsmanager.ISecret
  readonly vpc?: ec2.IVpc
  readonly connections?: ec2.Connections
}

function ownMembers(database: object): OwnMembers {
  return database
}

function required<T>(scope: Construct, name: 'secret' | 'vpc', value: T | undefined): T {
  if (value !== undefined) return value
  const missing = name === 'secret' ? 'the secret with its credentials' : 'its network'
  throw invalidProperty(scope, `${missing} cannot be read from this database.`, `Give it as "${name}".`)
}

function refuseOtherEngines(scope: Construct, engine: rds.IEngine | undefined): void {
  if (engine?.engineFamily === undefined || engine.engineFamily === 'POSTGRESQL') return
  throw invalidProperty(
    scope,
    `the database's engine is ${engine.engineType}.`,
    'Lockstep migrates PostgreSQL and Aurora PostgreSQL.',
  )
}

/** Tells one database from another; CloudFormation resolves it. */
export function addressOf({ endpoint, secret }: DatabaseTarget, databaseName: string | undefined): string {
  const server = endpoint.host === undefined ? secret.secretArn : `${endpoint.host}:${endpoint.port ?? ''}`
  return databaseName === undefined ? server : `${server}/${databaseName}`
}
