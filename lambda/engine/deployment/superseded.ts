import { LockstepError } from '../../errors.ts'
import type { EngineContext } from '../context.ts'
import { supersedeRunsSql } from '../history/run-record.ts'
import type { Session } from '../session/session.ts'
import type { State } from '../history/state.ts'

export interface Place {
  /** Names the resource among those of the set: its stack and logical id. */
  readonly resource: string
  /** Whether a later event of the resource has come while this one waited for the lock. @default it has not */
  readonly isOvertaken?: () => Promise<boolean>
}

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
  { resource, isOvertaken }: Place,
): Promise<void> {
  if (await isOvertaken?.()) throw placeTaken()
  const { sameRequest, lastRun } = state
  if (sameRequest?.details['superseded'] === true) throw placeTaken()
  if (lastRun === null) return
  await connection.execute(supersedeRunsSql(context, { resource, except: sameRequest?.runId ?? null }))
}

function placeTaken(): LockstepError {
  return new LockstepError({
    code: 'INTERRUPTED',
    message: 'This deployment is not gone on with: a later event of the same resource has taken it back.',
    state: 'It is as that later event has left it.',
    remedy: 'Nothing is to be done: CloudFormation goes by the later event.',
  })
}
