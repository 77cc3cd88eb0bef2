import type { SnapshotContext } from '../snapshot.ts'
import type { WaitingTime } from '../waiting.ts'
import type { Executions } from './executions.ts'

/** What a distributed copy works with. */
export interface DistributedContext extends SnapshotContext, WaitingTime {
  readonly executions: Executions
}

/** A copy that is under way, or has ended. */
export interface Begun {
  /** Of the execution. */
  readonly name: string
  readonly prefix: string
}
