import { LockstepError } from '../errors.ts'
import type { EngineContext } from './context.ts'
import type { Connection } from './database.ts'
import type { MigrationGraph } from './migration-graph.ts'
import type { State } from './state.ts'
import { upStep } from './step.ts'
import { undoPartial } from './undo-partial.ts'

/**
 * Refuses to apply anything on top of a migration whose down was cut off half way.
 *
 * @throws LockstepError `INTERRUPTED`.
 */
export function refuseHalfReverted({ progress }: State): void {
  const half = progress.find((entry) => entry.direction === 'down' && (entry.inFlight || entry.statementsDone > 0))
  if (half === undefined) return
  throw new LockstepError({
    code: 'INTERRUPTED',
    message: `The down of ${half.id} was cut off (${half.statementsDone} of its statements are known to be done): nothing can be applied on top of half a migration.`,
    state: `The database has not been touched by this run; ${half.id} is applied according to the history, and half reverted.`,
    remedy: 'Run "down" to revert it whole (it goes on where it stopped), and then this again.',
    migration: half.id,
  })
}

/**
 * Why nothing may be reverted beneath a migration that is half applied: it would be resumed on top of something else.
 * Null when there is none, or when it could be taken back exactly.
 */
export async function whyNotBeneath(
  context: EngineContext,
  connection: Connection,
  { progress }: State,
  graph: MigrationGraph,
): Promise<string | null> {
  for (const entry of progress) {
    // Code, and what has not finished a statement, begins anew: it is not resumed.
    if (entry.direction !== 'up' || entry.statementsDone === 0) continue
    const node = graph.byId.get(entry.id)
    if (node !== undefined && (await undoPartial(context, connection, upStep(node), entry))) continue
    return `${entry.id} has run up to its statement ${entry.statementsDone} and stands half applied on top of it`
  }
  return null
}

/** @throws LockstepError `INTERRUPTED` when {@link whyNotBeneath} gives a reason. */
export async function refuseBeneathHalfApplied(
  context: EngineContext,
  connection: Connection,
  state: State,
  graph: MigrationGraph,
): Promise<void> {
  const reason = await whyNotBeneath(context, connection, state, graph)
  if (reason === null) return
  throw new LockstepError({
    code: 'INTERRUPTED',
    message: `Nothing can be reverted: ${reason}.`,
    state: 'The database has not been touched by this run.',
    remedy:
      'Correct the file and run "up", so that it is whole, and then this again. Or undo its statements by hand and delete its row from the table "progress" of the history.',
  })
}
