import type { EngineContext } from '../context.ts'
import type { Connection } from '../database.ts'
import { canBeDropped, dropIndex } from '../run/invalid-indexes.ts'
import { clearProgressSql, saveProgressSql, type Progress } from '../history/progress.ts'
import type { Step } from '../plan/step.ts'

/**
 * Takes a half applied migration back where that can be done exactly: when all it has done is to build indexes. Its
 * down is not run for it: that was written for the whole, and would undo what was never done. Gives whether it is undone.
 */
export async function undoPartial(
  context: EngineContext,
  connection: Connection,
  step: Step,
  progress: Progress,
): Promise<boolean> {
  if (step.kind !== 'sql' || progress.inFlight) return false
  const targets = step.statements.slice(0, progress.statementsDone).map((statement) => statement.traits.concurrentIndex)
  if (!targets.every(canBeDropped)) return false
  const { runId } = progress
  for (const [done, target] of [...targets.entries()].toReversed()) {
    if (target === null) continue
    // Recorded as if it were being built: whoever finds this half done asks the catalog whether it stands.
    await connection.execute(saveProgressSql(context, step, { done, inFlight: true, runId }))
    await dropIndex(connection, target)
  }
  await connection.execute(clearProgressSql(context, step.id))
  return true
}
