import type { Duration } from 'aws-cdk-lib'
import type { SnapshotMode } from '../lambda/contract.ts'

/** How a logical snapshot is taken, and how long it is kept. */
export interface LogicalSnapshotProps {
  /**
   * Whose rows are copied; the structure is always that of the whole database. `affected`: those of the tables that the
   * pending migrations can touch.
   *
   * @default 'database'
   */
  readonly scope?: 'database' | 'affected' | { readonly schemas: readonly string[] }

  /**
   * Tables whose rows are left out, as `schema.table`; `*` stands for any characters.
   *
   * @default - none
   */
  readonly exclude?: readonly string[]

  /**
   * Sessions that copy at the same time: 1 to 32. `distributed`: a state machine invokes the function once for each
   * piece, up to 64 at the same time, and holds the consistent view meanwhile; with a `totalTimeout` over 14 minutes the
   * copy may take longer than one invocation. In isolated subnets it needs the endpoint `com.amazonaws.<region>.states`.
   *
   * @default one more than the function has cores, at most 4
   */
  readonly workers?: number | 'distributed'

  /**
   * How many of the newest snapshots are never deleted, whatever their age.
   *
   * @default - none: each is deleted when it is older than `expireAfter`
   */
  readonly keepLast?: number

  /**
   * The age at which a snapshot is deleted: whole days. A bucket that is brought along has rules of its own, unless
   * `keepLast` is given.
   *
   * @default Duration.days(30)
   */
  readonly expireAfter?: Duration

  /**
   * For how long nobody can delete or overwrite what is written to the bucket (S3 Object Lock): whole days, at most
   * `expireAfter`. Only for the bucket that is made here, and not with `keepLast`, which deletes by itself.
   *
   * @default - objects are not locked
   */
  readonly lockFor?: Duration

  /**
   * `governance`: who has `s3:BypassGovernanceRetention` can still delete. `compliance`: nobody can, not even the
   * account's root user.
   *
   * @default 'governance'
   */
  readonly lockMode?: 'governance' | 'compliance'
}

/** Which instance or cluster a storage-level snapshot is taken of, and how many are kept. */
export interface RdsSnapshotProps {
  /**
   * How many of this migration's own snapshots are kept; older ones are deleted once a new one is there.
   *
   * @default 5
   */
  readonly keepLast?: number

  /**
   * Identifier of the RDS instance that holds the database.
   *
   * @default - that of `database`. Needed where `database` is a proxy in front of an instance, or `{ secret, … }`
   */
  readonly instanceIdentifier?: string

  /**
   * Identifier of the Aurora or Multi-AZ cluster that holds the database.
   *
   * @default - that of `database`. Needed where `database` is a proxy in front of a cluster, or `{ secret, … }`
   */
  readonly clusterIdentifier?: string
}

type Choice =
  | ({ readonly mode: 'logical' } & LogicalSnapshotProps)
  | ({ readonly mode: 'rds' } & RdsSnapshotProps)
  | { readonly mode: 'none' }

/**
 * What is kept of the database before a deployment changes it.
 *
 * @example
 * new DatabaseMigration(this, 'Migration', {
 *   database,
 *   migrations: 'migrations',
 *   snapshot: Snapshot.logical({ exclude: ['audit.*'], keepLast: 10 }),
 * })
 */
export class Snapshot {
  /**
   * A consistent logical copy in the snapshot bucket, complete and verified before the first statement.
   *
   * @example
   * Snapshot.logical({ scope: 'affected', expireAfter: Duration.days(90) })
   */
  static logical(props: LogicalSnapshotProps = {}): Snapshot {
    return new Snapshot({ ...props, mode: 'logical' })
  }

  /**
   * A snapshot of the instance's or cluster's storage, by RDS itself, available before the first statement: for
   * databases that are too large to copy. It is restored by hand, into a new instance or cluster.
   *
   * @example
   * Snapshot.rds({ keepLast: 3 })
   */
  static rds(props: RdsSnapshotProps = {}): Snapshot {
    return new Snapshot({ ...props, mode: 'rds' })
  }

  /**
   * No copy. What a migration loses is lost; an automatic revert can only run downs.
   *
   * @example
   * Snapshot.none()
   */
  static none(): Snapshot {
    return new Snapshot({ mode: 'none' })
  }

  /** What was chosen, as it was given. */
  readonly choice: Choice

  private constructor(choice: Choice) {
    this.choice = choice
  }

  /** The mode's name, as the function knows it. */
  get mode(): SnapshotMode {
    return this.choice.mode
  }
}
