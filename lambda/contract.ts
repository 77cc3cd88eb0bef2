/** Event, action and result types and environment names: the one vocabulary of function, CLI and constructs. */

/** What a person, a pipeline or the console can ask for. */
export const ACTIONS = [
  'init',
  'status',
  'current',
  'history',
  'pending',
  'plan',
  'up',
  'down',
  'snapshot',
  'snapshots',
  'restore',
  'verify',
  'health',
  'drift',
] as const
export type Action = (typeof ACTIONS)[number]

/** Names of the function's environment variables. Set by the construct, read by `compose.ts` alone. */
export const ENVIRONMENT = {
  secretArn: 'LOCKSTEP_SECRET_ARN',
  databaseHost: 'LOCKSTEP_DATABASE_HOST',
  databasePort: 'LOCKSTEP_DATABASE_PORT',
  databaseName: 'LOCKSTEP_DATABASE_NAME',
  tls: 'LOCKSTEP_TLS',
  certificateAuthority: 'LOCKSTEP_CERTIFICATE_AUTHORITY',
  set: 'LOCKSTEP_SET',
  historySchema: 'LOCKSTEP_HISTORY_SCHEMA',
  migrations: 'LOCKSTEP_MIGRATIONS',
  migrationsDigest: 'LOCKSTEP_MIGRATIONS_DIGEST',
  snapshots: 'LOCKSTEP_SNAPSHOTS',
  snapshotKey: 'LOCKSTEP_SNAPSHOT_KEY',
  snapshotMode: 'LOCKSTEP_SNAPSHOT_MODE',
  snapshotScope: 'LOCKSTEP_SNAPSHOT_SCOPE',
  snapshotExclude: 'LOCKSTEP_SNAPSHOT_EXCLUDE',
  snapshotWorkers: 'LOCKSTEP_SNAPSHOT_WORKERS',
  snapshotMachine: 'LOCKSTEP_SNAPSHOT_MACHINE',
  snapshotKeepLast: 'LOCKSTEP_SNAPSHOT_KEEP_LAST',
  snapshotKeepDays: 'LOCKSTEP_SNAPSHOT_KEEP_DAYS',
  rdsInstance: 'LOCKSTEP_RDS_INSTANCE',
  rdsCluster: 'LOCKSTEP_RDS_CLUSTER',
  rdsSnapshotPrefix: 'LOCKSTEP_RDS_SNAPSHOT_PREFIX',
  stackName: 'LOCKSTEP_STACK_NAME',
  transaction: 'LOCKSTEP_TRANSACTION',
  onRollback: 'LOCKSTEP_ON_ROLLBACK',
  onFailure: 'LOCKSTEP_ON_FAILURE',
  autoApply: 'LOCKSTEP_AUTO_APPLY',
  totalTimeout: 'LOCKSTEP_TOTAL_TIMEOUT_SECONDS',
  lockTimeout: 'LOCKSTEP_LOCK_TIMEOUT_SECONDS',
  connectTimeout: 'LOCKSTEP_CONNECT_TIMEOUT_SECONDS',
} as const

/** Between the end of a run and the moment at which CloudFormation gives up: to say why the run has ended. */
export const SECONDS_TO_ANSWER = 60

/** Whether one transaction spans the whole run or each migration has its own. */
export const TRANSACTION_SCOPES = ['run', 'migration'] as const
export type TransactionScope = (typeof TRANSACTION_SCOPES)[number]

/** What a CloudFormation rollback does with the migrations that the failed deployment applied. */
export const ROLLBACK_POLICIES = ['revert', 'keep'] as const
export type RollbackPolicy = (typeof ROLLBACK_POLICIES)[number]

/**
 * What a failed run does about what it had committed. `revert`: its downs take back what they can, and the rest is named.
 * `restore`: where something is left, the snapshot that the run took is put in the place of the database.
 */
export const FAILURE_POLICIES = ['revert', 'restore'] as const
export type FailurePolicy = (typeof FAILURE_POLICIES)[number]

/** `logical`: a copy in the snapshot store. `rds`: one of the storage, by RDS itself. */
export const SNAPSHOT_MODES = ['logical', 'rds', 'none'] as const
export type SnapshotMode = (typeof SNAPSHOT_MODES)[number]

/** `verify-full` checks the server's certificate and name; `disable` is for tests and tunnels. */
export const TLS_MODES = ['verify-full', 'disable'] as const
export type TlsMode = (typeof TLS_MODES)[number]

/** Who started a run. */
export type Trigger = 'deployment' | 'console' | 'cli'

export type RunStatus = 'running' | 'succeeded' | 'failed' | 'interrupted'

/** An error as a person and a program see it. Codes are stable. */
export interface ErrorReport {
  readonly code: string
  /** What happened, with the value received. */
  readonly message: string
  /** What state the database is in. */
  readonly state: string
  /** What to do next. */
  readonly remedy: string
  readonly migration?: string
  /** PostgreSQL's five-character SQLSTATE. */
  readonly sqlState?: string
  readonly file?: string
  /** 1-based, in the migration file. */
  readonly line?: number
  /** 1-based, in characters. */
  readonly column?: number
  /** The offending lines with a caret under the column. */
  readonly excerpt?: string
}

/** A finding of the plan that prevents a run. */
export interface PlanProblem {
  readonly code: string
  readonly migration: string | null
  readonly message: string
  readonly remedy: string
}

export interface StatusResult {
  readonly database: string
  readonly set: string
  /** The last applied migration, or null when none is. */
  readonly current: string | null
  /** The last migration among the files; null when there is none, or several heads. */
  readonly head: string | null
  readonly heads: readonly string[]
  readonly pending: readonly string[]
  /** Files of `repeatable/` that the next run applies, because they have changed. */
  readonly repeatables: readonly string[]
  /** How many migrations are applied. */
  readonly applied: number
  /** Applied, but not among the files: the database is ahead of them. */
  readonly ahead: readonly string[]
  readonly upToDate: boolean
  readonly problems: readonly PlanProblem[]
  readonly lastRun: RunSummary | null
}

export interface RunSummary {
  readonly runId: string
  readonly action: string
  readonly trigger: string
  readonly status: RunStatus
  readonly startedAt: string
  readonly finishedAt: string | null
  readonly error: ErrorReport | null
}

export interface HistoryEntry {
  readonly id: string
  readonly kind: AppliedKind
  readonly checksum: string
  readonly position: number
  readonly appliedAt: string
  readonly durationMs: number
  readonly runId: string
  readonly appliedBy: string
  readonly lockstepVersion: string
}

export interface HistoryResult {
  readonly database: string
  readonly set: string
  readonly migrations: readonly HistoryEntry[]
  readonly runs: readonly RunSummary[]
}

export type MigrationKind = 'sql' | 'ts'

/** `repeatable`: one text of a file that is applied again whenever it changes. */
export type AppliedKind = MigrationKind | 'repeatable'

/** One migration as a run did it. */
export interface MigrationTiming {
  readonly id: string
  readonly direction: 'up' | 'down'
  readonly durationMs: number
  readonly statements: number
}

export interface RunResult {
  /** `paused`: the invocation's time was over, and the next one goes on. Only in a deployment with a `totalTimeout`. */
  readonly status: 'succeeded' | 'failed' | 'paused'
  readonly action: 'up' | 'down'
  readonly database: string
  readonly set: string
  /** Null when there was nothing to do: such a run writes nothing. */
  readonly runId: string | null
  /** Ids that this run applied and that stand at its end, oldest first. */
  readonly applied: readonly string[]
  /** Ids that this run reverted, in the order in which they were reverted. */
  readonly reverted: readonly string[]
  readonly current: string | null
  readonly snapshot: string | null
  readonly migrations: readonly MigrationTiming[]
  readonly durationMs: number
  readonly warnings: readonly string[]
  /** Present when failed: whether the database is as it was before the run. */
  readonly rolledBack?: boolean
  readonly error?: ErrorReport
}

export interface SnapshotResult {
  readonly uri: string
  readonly database: string
  readonly bytes: number
  /** Whose rows it holds. */
  readonly tables: number
  /** Whose rows were left out: they are excluded, or outside of its scope. */
  readonly omittedTables: number
  readonly rows: number
  readonly durationMs: number
}

export interface SnapshotListing {
  readonly uri: string
  readonly database: string
  readonly createdAt: string
  readonly bytes: number
  /** Whose rows it holds. */
  readonly tables: number
  /** Whose rows were left out: it cannot take the database's place. */
  readonly omittedTables: number
  readonly rows: number
}

export interface InitResult {
  readonly database: string
  readonly createdDatabase: boolean
  readonly createdHistory: boolean
}

export interface HealthResult {
  readonly healthy: boolean
  readonly database: string
  readonly serverVersion: string
  readonly lockstepVersion: string
  readonly upToDate: boolean
}

/** Properties of the `DatabaseMigration` custom resource: they change exactly when migrations or settings do. */
export interface MigrationResourceProperties {
  readonly set: string
  readonly migrations: string
  readonly settings: string
  /** Heads of the bundled set at synth, for people who read the template or the change set. */
  readonly heads: string
}

/** Properties of a requirement made with `DatabaseMigration.fromServiceToken`. */
export interface RequirementResourceProperties {
  readonly require: string
  readonly set: string
}
