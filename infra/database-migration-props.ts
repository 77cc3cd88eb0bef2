import type { Duration } from 'aws-cdk-lib'
import type * as ec2 from 'aws-cdk-lib/aws-ec2'
import type * as kms from 'aws-cdk-lib/aws-kms'
import type * as logs from 'aws-cdk-lib/aws-logs'
import type * as s3 from 'aws-cdk-lib/aws-s3'
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager'
import type { EnvironmentName, Policy } from '../lambda/analysis-contract.ts'
import type { FailurePolicy, RollbackPolicy, TlsMode, TransactionScope } from '../lambda/contract.ts'
import type { DatabaseSource } from './database-target.ts'
import type { Snapshot } from './snapshot.ts'

/** Properties of a `DatabaseMigration`. */
export interface DatabaseMigrationProps {
  /** The RDS instance, Aurora cluster or proxy; for any other PostgreSQL `{ secret, vpc, securityGroups }`. */
  readonly database: DatabaseSource

  /** Directory of the migration files; relative to where the app runs. */
  readonly migrations: string

  /**
   * Credentials: `username` and `password`, and `host`, `port`, `dbname` where the database does not tell them.
   *
   * @default - the database's own secret. Needed for a proxy and for an imported instance or cluster
   */
  readonly secret?: secretsmanager.ISecret

  /**
   * The network that the function runs in.
   *
   * @default - the database's own. Needed for a proxy and for an imported instance or cluster
   */
  readonly vpc?: ec2.IVpc

  /**
   * Subnets for the function: with a route to the database, to Secrets Manager and to S3.
   *
   * @default - private subnets with egress; else isolated ones
   */
  readonly vpcSubnets?: ec2.SubnetSelection

  /**
   * The database to migrate.
   *
   * @default - the secret's `dbname`
   */
  readonly databaseName?: string

  /**
   * Name of this set of migrations. Two sets in one database have histories of their own.
   *
   * @default 'default'
   */
  readonly set?: string

  /**
   * The schema of Lockstep's own tables. It holds nothing else, and so is not `public`.
   *
   * @default 'lockstep'
   */
  readonly historySchema?: string

  /**
   * `run`: one transaction spans all pending migrations. `migration`: each has its own.
   *
   * @default 'run'
   */
  readonly transaction?: TransactionScope

  /**
   * What a rollback of the deployment does with the migrations that it applied.
   *
   * @default 'revert'
   */
  readonly onRollback?: RollbackPolicy

  /**
   * What a failed run does when downs cannot take back all that it had committed. `revert` leaves the rest and names it.
   * `restore` puts the snapshot that the run took in the place of the database, so that it is as it was before: all
   * sessions on the database are ended, and what the application wrote since the snapshot was taken is only in the old
   * database, which is kept under a dated name that the error gives; drop it when nothing in it is needed. The rollback
   * of a deployment never restores. Needs a user that may create databases and owns this one.
   *
   * @default 'revert'
   */
  readonly onFailure?: FailurePolicy

  /**
   * How careful a run is. `production`: hazards that `lint` found are refused unless the file allows them, a migration
   * must be proven, what loses data needs a snapshot, and a revert on demand must name the database. `staging`: reverts
   * must. `development`: nothing is demanded. The rollback of a deployment is never held up.
   *
   * @default - nothing is demanded, as in development
   */
  readonly environment?: EnvironmentName

  /**
   * Switches of the policy that differ from those of the environment.
   *
   * @default - those of the environment
   */
  readonly policy?: Partial<Policy>

  /**
   * What is kept of the database before it is changed.
   *
   * @default Snapshot.logical()
   */
  readonly snapshot?: Snapshot

  /**
   * Bucket for snapshots and for the record of runs under way. Only a prefix of it is used. Give it a rule that aborts
   * incomplete multipart uploads: a function that is killed leaves those behind.
   *
   * @default - a new one: private, encrypted, versioned, expiring after 30 days, kept when the stack is deleted
   */
  readonly snapshotBucket?: s3.IBucket

  /**
   * The key that encrypts the bucket that is made for snapshots.
   *
   * @default - a new one, that rotates and is kept when the stack is deleted
   */
  readonly encryptionKey?: kms.IKey

  /**
   * `verify-full` checks the server's certificate and name. `disable` is for tests and tunnels.
   *
   * @default 'verify-full'
   */
  readonly tls?: TlsMode

  /**
   * Certificates (PEM text) to trust beside those of Amazon RDS.
   *
   * @default - none
   */
  readonly certificateAuthority?: string

  /**
   * Whether a deployment applies what is pending. Without, it only reports, and a person applies; a rollback
   * takes back what the failed deployment applied all the same.
   *
   * @default true
   */
  readonly autoApply?: boolean

  /**
   * How long a deployment's run may take in all: 1 minute to 1 hour. Beyond 14 minutes the run goes on over several
   * invocations of the function: it pauses between migrations, between the statements of one outside of a transaction,
   * and between batches, once half of an invocation's time is gone. What was done is committed at each pause, and
   * reverted by the downs when a later part fails. A single statement never has more than one invocation's time.
   *
   * @default Duration.minutes(14)
   */
  readonly totalTimeout?: Duration

  /**
   * The function's memory in MiB; its share of CPU grows with it.
   *
   * @default 1024
   */
  readonly memorySize?: number

  /**
   * How long to wait for another run of the same set.
   *
   * @default Duration.minutes(5)
   */
  readonly lockTimeout?: Duration

  /**
   * How long to go on trying to connect, as to a cluster that has paused.
   *
   * @default Duration.minutes(1)
   */
  readonly connectTimeout?: Duration

  /**
   * How long the function's log is kept. It outlives the stack, to tell why a first deployment failed.
   *
   * @default RetentionDays.THREE_MONTHS
   */
  readonly logRetention?: logs.RetentionDays
}
