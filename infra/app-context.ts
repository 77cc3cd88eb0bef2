import type { Node } from 'constructs'
import {
  FAILURE_POLICIES,
  ROLLBACK_POLICIES,
  TLS_MODES,
  TRANSACTION_SCOPES,
  type FailurePolicy,
  type RollbackPolicy,
  type TlsMode,
  type TransactionScope,
} from '../lambda/contract.ts'
import { readSnapshot } from './app-snapshot.ts'
import { invalidContext, listOf, numberOf, oneOf, textOf } from './context-values.ts'
import type { Snapshot } from './snapshot.ts'
import { SynthesisError } from './synthesis-error.ts'

/** Where an existing database is. */
export interface ExistingDatabaseContext {
  readonly vpcId: string
  readonly availabilityZones: readonly string[]
  readonly subnetIds: readonly string[]
  readonly securityGroupIds: readonly string[]
  readonly secretArn: string
  readonly host: string | undefined
  readonly port: number | undefined
}

/** The app's context (`cdk synth -c key=value`), read and checked. */
export interface AppContext {
  readonly stackName: string
  /** Undefined: the example database is made. */
  readonly existing: ExistingDatabaseContext | undefined
  readonly migrations: string
  readonly databaseName: string | undefined
  readonly set: string | undefined
  readonly transaction: TransactionScope | undefined
  readonly onRollback: RollbackPolicy | undefined
  readonly onFailure: FailurePolicy | undefined
  readonly snapshot: Snapshot
  readonly tls: TlsMode | undefined
  readonly bucketName: string | undefined
  /** Minutes. */
  readonly totalTimeout: number | undefined
}

const REQUIRED_FOR_EXISTING = ['vpcId', 'availabilityZones', 'subnetIds', 'securityGroupIds', 'secretArn'] as const
const OF_EXISTING = [...REQUIRED_FOR_EXISTING, 'host', 'port'] as const

/**
 * Reads the app's context. Lists are separated by commas.
 *
 * @throws SynthesisError naming the key and the value received.
 */
export function readAppContext(node: Node): AppContext {
  const text = (key: string): string | undefined => textOf(node, key)
  return {
    stackName: text('stackName') ?? 'LockstepExample',
    existing: OF_EXISTING.some((key) => text(key) !== undefined) ? readExisting(node) : undefined,
    migrations: text('migrations') ?? 'migrations',
    databaseName: text('databaseName'),
    set: text('set'),
    transaction: oneOf(node, 'transaction', TRANSACTION_SCOPES),
    onRollback: oneOf(node, 'onRollback', ROLLBACK_POLICIES),
    onFailure: oneOf(node, 'onFailure', FAILURE_POLICIES),
    snapshot: readSnapshot(node),
    tls: oneOf(node, 'tls', TLS_MODES),
    bucketName: text('bucketName'),
    totalTimeout: numberOf(node, 'totalTimeout', 'minutes'),
  }
}

function readExisting(node: Node): ExistingDatabaseContext {
  const missing = REQUIRED_FOR_EXISTING.filter((key) => textOf(node, key) === undefined)
  if (missing.length > 0) {
    throw new SynthesisError(
      `CONFIG_INVALID: the context lacks ${missing.join(', ')}. An existing database needs ` +
        `${REQUIRED_FOR_EXISTING.join(', ')}; without any of them the example database is made.`,
    )
  }
  const availabilityZones = listOf(node, 'availabilityZones')
  const subnetIds = listOf(node, 'subnetIds')
  if (availabilityZones.length !== subnetIds.length) {
    throw invalidContext('subnetIds', subnetIds.join(','), 'Give one subnet for each of availabilityZones, in order.')
  }
  return {
    vpcId: textOf(node, 'vpcId') ?? '',
    availabilityZones,
    subnetIds,
    securityGroupIds: listOf(node, 'securityGroupIds'),
    secretArn: readSecretArn(node),
    host: textOf(node, 'host'),
    port: readPort(node),
  }
}

function readPort(node: Node): number | undefined {
  const value = textOf(node, 'port')
  if (value === undefined) return undefined
  const port = Number(value)
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw invalidContext('port', value, 'Give 1 to 65535.')
  return port
}

/** Secrets Manager ends an ARN with six random characters; a permission for the ARN without them matches nothing. */
function readSecretArn(node: Node): string {
  const value = textOf(node, 'secretArn') ?? ''
  if (/^arn:[\w-]+:secretsmanager:[\w-]*:\d*:secret:.+-[A-Za-z0-9]{6}$/.test(value)) return value
  throw invalidContext(
    'secretArn',
    value,
    'Give the whole ARN: arn:aws:secretsmanager:<region>:<account>:secret:<name>-<6 characters>.',
  )
}
