import type { Node } from 'constructs'
import {
  FAILURE_POLICIES,
  ROLLBACK_POLICIES,
  SNAPSHOT_MODES,
  TLS_MODES,
  TRANSACTION_SCOPES,
  type FailurePolicy,
  type RollbackPolicy,
  type SnapshotMode,
  type TlsMode,
  type TransactionScope,
} from '../lambda/contract.ts'
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
  readonly snapshot: SnapshotMode | undefined
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
    snapshot: oneOf(node, 'snapshot', SNAPSHOT_MODES),
    tls: oneOf(node, 'tls', TLS_MODES),
    bucketName: text('bucketName'),
    totalTimeout: readMinutes(node, 'totalTimeout'),
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

/** Context from a command line is text; from `cdk.json` it may be a number or a list as well. */
function textOf(node: Node, key: string): string | undefined {
  const value: unknown = node.tryGetContext(key)
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value === 'string') return value
  if (typeof value === 'number') return String(value)
  if (Array.isArray(value)) return value.map(String).join(',')
  throw invalidContext(key, JSON.stringify(value), 'Give a text.')
}

function listOf(node: Node, key: string): readonly string[] {
  const entries = (textOf(node, key) ?? '').split(',').map((entry) => entry.trim())
  return entries.filter((entry) => entry !== '')
}

function oneOf<T extends string>(node: Node, key: string, known: readonly T[]): T | undefined {
  const value = textOf(node, key)
  if (value === undefined) return undefined
  const found = known.find((entry) => entry === value)
  if (found === undefined) throw invalidContext(key, value, `Give one of: ${known.join(', ')}.`)
  return found
}

function readPort(node: Node): number | undefined {
  const value = textOf(node, 'port')
  if (value === undefined) return undefined
  const port = Number(value)
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw invalidContext('port', value, 'Give 1 to 65535.')
  return port
}

function readMinutes(node: Node, key: string): number | undefined {
  const value = textOf(node, key)
  if (value === undefined) return undefined
  const minutes = Number(value)
  if (!Number.isFinite(minutes) || minutes <= 0) throw invalidContext(key, value, 'Give a number of minutes.')
  return minutes
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

function invalidContext(key: string, value: string, remedy: string): SynthesisError {
  return new SynthesisError(`CONFIG_INVALID: the context value "${key}" is "${value}". ${remedy}`)
}
