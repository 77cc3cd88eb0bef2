import { LockstepError } from '../../errors.ts'
import type { EngineContext } from '../context.ts'
import type { Connection } from '../database.ts'
import type { MigrationGraph } from '../plan/migration-graph.ts'
import { settle } from '../run/outside-transaction.ts'
import { clearProgressSql, progressOf, type Progress } from '../history/progress.ts'
import type { State } from '../history/state.ts'
import { upStep, type Step } from '../plan/step.ts'
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
    if (entry.direction !== 'up') continue
    if (entry.inFlight && entry.mayCommit) return `${entry.id} was cut off, and may have committed a part of its work`
    const node = graph.byId.get(entry.id)
    const done = node === undefined ? entry.statementsDone : await settleUp(context, connection, upStep(node), entry)
    if (done > 0) return `${entry.id} has run up to its statement ${done} and stands half applied on top of it`
  }
  return null
}

/** How many statements stand, after what could be taken back exactly was. With none the migration begins anew. */
async function settleUp(context: EngineContext, connection: Connection, step: Step, entry: Progress): Promise<number> {
  if (!isSameFile(step, entry)) return entry.statementsDone
  const done = step.kind === 'sql' && entry.inFlight ? await settle(connection, step, entry) : entry.statementsDone
  if (done > 0) {
    const settled = { ...entry, statementsDone: done, inFlight: false }
    return (await undoPartial(context, connection, step, settled)) ? 0 : done
  }
  await connection.execute(clearProgressSql(context, step.id))
  return 0
}

/** What another text has done cannot be told, or taken back, from this one. */
function isSameFile(step: Step, entry: Progress): boolean {
  try {
    return progressOf(step, [entry]) !== null
  } catch {
    return false
  }
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
