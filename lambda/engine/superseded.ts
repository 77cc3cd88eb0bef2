import { LockstepError } from '../errors.ts'
import type { EngineContext } from './context.ts'
import { supersedeRunsSql } from './run-record.ts'
import type { Session } from './session.ts'
import type { State } from './state.ts'

/**
 * One resource has one run at a time. An event that comes while an earlier one's run is paused (a creation that is
 * cancelled, an update that is rolled back) takes its place, and what still continues the earlier one is refused: it
 * would apply what was just taken back.
 *
 * @throws LockstepError `INTERRUPTED` for the run whose place was taken.
 */
export async function takePlace(
  context: EngineContext,
  { connection }: Pick<Session, 'connection'>,
  state: State,
  resource: string,
): Promise<void> {
  const { sameRequest, lastRun } = state
  if (sameRequest?.details['superseded'] === true) throw placeTaken(sameRequest.runId)
  if (lastRun === null) return
  await connection.execute(supersedeRunsSql(context, { resource, except: sameRequest?.runId ?? null }))
}

function placeTaken(runId: string): LockstepError {
  return new LockstepError({
    code: 'INTERRUPTED',
    message: `The run ${runId} of this deployment is not continued: a later event of the same resource has come in between.`,
    state: 'It is as that later event has left it.',
    remedy: 'Nothing is to be done: CloudFormation goes by the later event.',
  })
}
