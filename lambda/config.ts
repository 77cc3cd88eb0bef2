import { join } from 'node:path'
import {
  ENVIRONMENT,
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
  type Trigger,
} from './contract.ts'
import type { PolicyLayer } from './engine/policy/policy.ts'
import { LockstepError, UNTOUCHED } from './errors.ts'
import { policyFromVariables } from './policy-variables.ts'
import { DEFAULT_SNAPSHOT_SETTINGS, MAX_SNAPSHOT_WORKERS, type SnapshotSettings } from './snapshot-settings.ts'
import { parsePatterns, parseScope, PATTERN_SYNTAX, SCOPE_SYNTAX } from './snapshot/scope.ts'

/** Where the credentials come from. */
export type DatabaseConfig =
  | { readonly kind: 'url'; readonly url: string }
  | {
      readonly kind: 'secret'
      readonly secretArn: string
      /** Overrides the secret's `host`, for a proxy or a secret without one. */
      readonly host: string | null
      readonly port: number | null
      readonly name: string | null
      readonly tls: TlsMode
      /** File with the PEM certificates to trust beside those of RDS. */
      readonly certificateAuthority: string | null
    }

/** Migrations as files of a working tree, or as the bundle that was made at synth. */
export interface MigrationsConfig {
  readonly kind: 'directory' | 'bundle'
  readonly directory: string
}

/** Everything a composition needs, parsed once at the edge. */
export interface Config extends SnapshotSettings {
  readonly database: DatabaseConfig
  readonly migrations: MigrationsConfig
  /** What the custom resource's properties call these migrations. Null: no custom resource refers to them. */
  readonly migrationsDigest: string | null
  readonly set: string
  readonly historySchema: string
  readonly transaction: TransactionScope
  readonly onRollback: RollbackPolicy
  readonly onFailure: FailurePolicy
  readonly autoApply: boolean
  /** Null: no store. */
  readonly snapshots: SnapshotsConfig | null
  /** Whether a run takes a snapshot before its first statement. */
  readonly snapshotMode: SnapshotMode
  /** Where storage-level snapshots are taken; null: nowhere. */
  readonly rds: RdsConfig | null
  /** How long a deployment may take over all its invocations. Null: as long as one. */
  readonly totalTimeoutMs: number | null
  /** How long to wait for another run of the same set. */
  readonly lockTimeoutMs: number
  /** How long to go on trying to connect. */
  readonly connectTimeoutMs: number
  readonly trigger: Trigger
  /** Switches of the policy, the weakest first; those of the file beside the migrations are weaker. */
  readonly policy: readonly PolicyLayer[]
  /** Recorded with every applied migration. */
  readonly appliedBy: string
}

/** Where snapshots are kept, and who copies. */
export interface SnapshotsConfig {
  /** `s3://bucket/prefix`, a `file://` URL or a directory. */
  readonly location: string
  readonly kmsKeyId: string | null
  /** ARN of the state machine that distributes a copy. @default this process copies */
  readonly machine?: string
}

/** The server whose storage RDS snapshots, and how the snapshots are told from others. */
export interface RdsConfig {
  readonly kind: 'instance' | 'cluster'
  readonly identifier: string
  /** Begins the identifier of every snapshot. */
  readonly snapshotPrefix: string
  readonly stackName: string
}

export type Environment = Readonly<Record<string, string | undefined>>

export const DEFAULT_SET = 'default'
export const DEFAULT_HISTORY_SCHEMA = 'lockstep'
/** What is in it counts as Lockstep's own: it is no part of what is compared, looked at for hazards or weighed. */
export function parseHistorySchema(name: string): string | null {
  return name.trim() === '' || name === 'public' || name.startsWith('pg_') ? null : name
}

export const HISTORY_SCHEMA_SYNTAX = 'a schema that holds nothing else: neither public nor one that begins with pg_'

const DEFAULT_LOCK_TIMEOUT_SECONDS = 300
const DEFAULT_CONNECT_TIMEOUT_SECONDS = 60

/**
 * Reads the function's configuration. Pure: takes the variables, reads nothing else.
 *
 * @throws LockstepError `CONFIG_INVALID` naming the variable and the value received.
 */
export function configFromEnvironment(environment: Environment): Config {
  const read = reader(environment)
  const snapshots = read.optional('snapshots')
  const snapshotMode = read.oneOf('snapshotMode', SNAPSHOT_MODES, 'logical')
  return {
    database: {
      kind: 'secret',
      secretArn: read.required('secretArn'),
      host: read.optional('databaseHost'),
      port: read.number('databasePort', null),
      name: read.optional('databaseName'),
      tls: read.oneOf('tls', TLS_MODES, 'verify-full'),
      certificateAuthority: read.optional('certificateAuthority'),
    },
    migrations: {
      kind: 'bundle',
      directory: join(environment.LAMBDA_TASK_ROOT ?? '.', read.optional('migrations') ?? 'migrations'),
    },
    migrationsDigest: read.optional('migrationsDigest'),
    set: read.optional('set') ?? DEFAULT_SET,
    historySchema: read.parsed('historySchema', parseHistorySchema, HISTORY_SCHEMA_SYNTAX) ?? DEFAULT_HISTORY_SCHEMA,
    transaction: read.oneOf('transaction', TRANSACTION_SCOPES, 'run'),
    onRollback: read.oneOf('onRollback', ROLLBACK_POLICIES, 'revert'),
    onFailure: read.oneOf('onFailure', FAILURE_POLICIES, 'revert'),
    autoApply: read.boolean('autoApply', true),
    snapshots: snapshots === null ? null : snapshotsConfig(read, snapshots),
    snapshotMode: snapshots === null && snapshotMode === 'logical' ? 'none' : snapshotMode,
    ...snapshotSettings(read),
    rds: snapshotMode === 'rds' ? rdsConfig(read) : null,
    totalTimeoutMs: milliseconds(read.number('totalTimeout', null)),
    lockTimeoutMs: (read.number('lockTimeout', DEFAULT_LOCK_TIMEOUT_SECONDS) ?? 0) * 1000,
    connectTimeoutMs: (read.number('connectTimeout', DEFAULT_CONNECT_TIMEOUT_SECONDS) ?? 0) * 1000,
    trigger: 'console',
    policy: [policyFromVariables(environment, 'property')],
    appliedBy: environment.AWS_LAMBDA_FUNCTION_NAME ?? 'lambda',
  }
}

function snapshotSettings(read: Reader): SnapshotSettings {
  const defaults = DEFAULT_SNAPSHOT_SETTINGS
  return {
    snapshotScope: read.parsed('snapshotScope', parseScope, SCOPE_SYNTAX) ?? defaults.snapshotScope,
    snapshotExclude: read.parsed('snapshotExclude', parsePatterns, PATTERN_SYNTAX) ?? defaults.snapshotExclude,
    snapshotWorkers: read.count('snapshotWorkers', MAX_SNAPSHOT_WORKERS) ?? defaults.snapshotWorkers,
    snapshotKeepLast: read.count('snapshotKeepLast'),
    snapshotKeepDays: read.count('snapshotKeepDays'),
  }
}

function snapshotsConfig(read: Reader, location: string): SnapshotsConfig {
  const machine = read.optional('snapshotMachine')
  return { location, kmsKeyId: read.optional('snapshotKey'), ...(machine === null ? {} : { machine }) }
}

function rdsConfig(read: Reader): RdsConfig {
  const instance = read.optional('rdsInstance')
  return {
    kind: instance === null ? 'cluster' : 'instance',
    identifier: instance ?? read.required('rdsCluster'),
    snapshotPrefix: read.required('rdsSnapshotPrefix'),
    stackName: read.required('stackName'),
  }
}

function milliseconds(seconds: number | null): number | null {
  return seconds === null ? null : seconds * 1000
}

type Variable = keyof typeof ENVIRONMENT
type Reader = ReturnType<typeof reader>

function reader(environment: Environment) {
  const optional = (variable: Variable): string | null => {
    const value = environment[ENVIRONMENT[variable]]?.trim()
    return value === undefined || value === '' ? null : value
  }
  return {
    optional,
    required: (variable: Variable): string => {
      const value = optional(variable)
      if (value === null) throw invalid(variable, 'is not set', 'It is set by the DatabaseMigration construct.')
      return value
    },
    number: (variable: Variable, fallback: number | null): number | null => {
      const value = optional(variable)
      if (value === null) return fallback
      if (!/^\d+(\.\d+)?$/.test(value)) throw invalid(variable, `is "${value}"`, 'Give a number that is not negative.')
      return Number(value)
    },
    count: (variable: Variable, most = 999_999): number | null => {
      const value = optional(variable)
      if (value === null) return null
      if (/^[1-9]\d{0,5}$/.test(value) && Number(value) <= most) return Number(value)
      throw invalid(variable, `is "${value}"`, `Give a whole number from 1 to ${most}.`)
    },
    parsed: <T>(variable: Variable, parse: (text: string) => T | null, syntax: string): T | null => {
      const value = optional(variable)
      const found = value === null ? null : parse(value)
      if (value !== null && found === null) throw invalid(variable, `is "${value}"`, `Give ${syntax}.`)
      return found
    },
    oneOf: <T extends string>(variable: Variable, known: readonly T[], fallback: T): T => {
      const value = optional(variable)
      if (value === null) return fallback
      const found = known.find((entry) => entry === value)
      if (found === undefined) throw invalid(variable, `is "${value}"`, `Give one of: ${known.join(', ')}.`)
      return found
    },
    boolean: (variable: Variable, fallback: boolean): boolean => {
      const value = optional(variable)
      return value === null ? fallback : parseSwitch(variable, value)
    },
  }
}

function parseSwitch(variable: Variable, value: string): boolean {
  if (['true', '1', 'yes', 'on'].includes(value.toLowerCase())) return true
  if (['false', '0', 'no', 'off'].includes(value.toLowerCase())) return false
  throw invalid(variable, `is "${value}"`, 'Give true, 1, yes, on, false, 0, no or off.')
}

function invalid(variable: Variable, problem: string, remedy: string): LockstepError {
  return new LockstepError({
    code: 'CONFIG_INVALID',
    message: `The environment variable ${ENVIRONMENT[variable]} ${problem}.`,
    state: UNTOUCHED,
    remedy,
  })
}
