import type { Clock } from './clock.ts'
import type { ResolvedPolicy } from './analysis-contract.ts'
import type { Config } from './config.ts'
import type { Analysis } from './engine/policy/analysis.ts'
import type { Connection } from './engine/database.ts'
import type { Migration } from './engine/migration/migration.ts'
import type { Log } from './log.ts'
import type { Executions } from './snapshot/distributed/executions.ts'
import type { SnapshotContext } from './snapshot/snapshot.ts'
import type { StorageContext } from './snapshot/storage-snapshot.ts'

/** A composed Lockstep: one database, one set of migrations, one snapshot store. Made by `compose.ts`. */
export interface Lockstep {
  readonly config: Config
  /** Opens a session, on another database of the same server when one is named. */
  readonly connect: (database?: string) => Promise<Connection>
  /** The name of the configured database. */
  readonly databaseName: () => Promise<string>
  readonly readMigrations: () => readonly Migration[]
  /** What `lint` and `prove` have found of the migrations. */
  readonly readAnalysis: () => Analysis
  /** What the environment demands of a run. */
  readonly policy: () => ResolvedPolicy
  /** @throws LockstepError `CONFIG_INVALID` when no store is configured. */
  readonly snapshots: () => SnapshotContext
  /** Distributes copies of the database over invocations of the function; null: whoever takes a snapshot copies. */
  readonly executions: Executions | null
  /** @throws LockstepError `CONFIG_INVALID` when no RDS instance or cluster is configured. */
  readonly storage: () => StorageContext
  /** The status of a stack from CloudFormation; null when it cannot be asked. */
  readonly stackStatus: (stackId: string) => Promise<string | null>
  readonly clock: Clock
  readonly log: Log
  /** Milliseconds until the process is ended from outside; infinite on a terminal. */
  readonly remainingMs: () => number
  /** Whether to leave the rest of a run to the next invocation. */
  readonly shouldPause: () => boolean
  /** When the time of the whole run is over, in milliseconds since 1970; null: no other invocation follows. */
  readonly deadline: number | null
  /** Aborting stops a run between statements. */
  readonly signal?: AbortSignal
}
