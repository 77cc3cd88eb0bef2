import type { Connection } from '../database.ts'
import { blockedBy, isLockConflict, StepError } from '../failure/failure.ts'
import { describeBlocker, findBlocker } from './lock-blocker.ts'
import { lockTimeoutLeft, type LockWaits } from './lock-budget.ts'
import { LOCK_TIMEOUT_MS } from '../session/session.ts'
import type { StepRun } from '../run/step-runner.ts'

/** How long work is tried again that other sessions' locks keep from being done, from the first time on. */
const LOCK_BUDGET_MS = 300_000
const FIRST_LOCK_PAUSE_MS = 500
const LONGEST_LOCK_PAUSE_MS = 5000
/** How soon a pause ends when the run is told to stop. */
const SLICE_MS = 250

/**
 * Does work that waits for locks in many short turns and not in one long one: what was done in a turn is rolled back,
 * and between two turns the application's queries pass. Half of the function's time is left for the way back.
 *
 * @throws whatever `work` threw; what is no conflict leaves its transaction open.
 */
export async function retryOnLock<T>(
  connection: Connection,
  run: Pick<StepRun, 'context' | 'signal' | 'lockWaits'>,
  work: () => Promise<T>,
): Promise<T> {
  const { clock, log, remainingMs } = run.context
  let deadline: number | null = null
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work()
    } catch (error) {
      if (!isLockConflict(error) || run.signal.aborted || !connection.isOpen()) throw error
      await connection.execute('ROLLBACK')
      deadline ??= clock.monotonic() + Math.min(LOCK_BUDGET_MS, remainingMs() / 2)
      const blocker = await blockerOf(connection, error, run.lockWaits)
      const pause = pauseAfter(attempt)
      const left = deadline - clock.monotonic() - pause
      if (left < 0) throw blockedBy(error, blocker)
      log.warn('a lock is held by another session; trying again', {
        attempt,
        blockedBy: blocker === null ? null : describeBlocker(blocker),
        givesUpAfterSeconds: Math.round(left / 1000),
      })
      await pauseUnlessStopped(run, pause)
    }
  }
}

async function blockerOf(connection: Connection, error: unknown, waits: LockWaits) {
  if (!(error instanceof StepError)) return findBlocker(connection, null, LOCK_TIMEOUT_MS)
  return findBlocker(connection, error.statement, lockTimeoutLeft(error.step, waits))
}

function pauseAfter(attempt: number): number {
  return Math.min(LONGEST_LOCK_PAUSE_MS, FIRST_LOCK_PAUSE_MS * 2 ** (attempt - 1)) * (0.5 + Math.random() / 2)
}

async function pauseUnlessStopped({ context, signal }: Pick<StepRun, 'context' | 'signal'>, ms: number): Promise<void> {
  for (let left = ms; left > 0 && !signal.aborted; left -= SLICE_MS) await context.clock.sleep(Math.min(SLICE_MS, left))
}
