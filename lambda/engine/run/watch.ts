import type { Connection } from '../database.ts'
import type { Statement } from '../migration/statements.ts'
import type { Step } from '../plan/step.ts'

/** A statement of a migration that is about to run. */
export interface WatchedStatement {
  readonly step: Step
  /** Null for what code runs. */
  readonly statement: Statement | null
  readonly sql: string
  /** Whether it runs in an open transaction, which still holds its locks when it has ended. */
  readonly within: boolean
}

/** Stands around every statement of a run's migrations. Runs the work once, and gives what it gives. */
export type StatementWatch = <T>(connection: Connection, at: WatchedStatement, work: () => Promise<T>) => Promise<T>

/** Does the work of a statement, watched if anybody watches. */
export function watched<T>(
  { watch }: { readonly watch?: StatementWatch },
  connection: Connection,
  at: WatchedStatement,
  work: () => Promise<T>,
): Promise<T> {
  return watch === undefined ? work() : watch(connection, at, work)
}
