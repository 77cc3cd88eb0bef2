import type { TransactionScope, Trigger } from '../contract.ts'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Connect } from './database.ts'
import type { StatementWatch } from './run/watch.ts'

/** Everything the engine is given. It has no clock, environment or client of its own. */
export interface EngineContext {
  readonly connect: Connect
  readonly set: string
  /** Schema of the history tables. */
  readonly schema: string
  readonly scope: TransactionScope
  readonly trigger: Trigger
  readonly appliedBy: string
  /** Lockstep's own version, recorded with what it applies. */
  readonly version: string
  /** How long to wait for another run of the same set. Milliseconds. */
  readonly lockTimeoutMs: number
  /** How long a server that cannot be written to is taken for one that fails over. Milliseconds. @default 0 */
  readonly connectTimeoutMs?: number
  /** Milliseconds until the process is ended from outside; infinite on a terminal. */
  readonly remainingMs: () => number
  /** Whether a run should stop at the next point that a later invocation can go on from; never where none follows. */
  readonly shouldPause: () => boolean
  readonly newRunId: () => string
  readonly clock: Clock
  readonly log: Log
  /** Stands around every statement. @default nobody watches */
  readonly watch?: StatementWatch
}
