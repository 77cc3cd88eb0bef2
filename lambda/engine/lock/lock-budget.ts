import type { EngineContext } from '../context.ts'
import type { Connection } from '../database.ts'
import { LOCK_TIMEOUT_MS } from '../session/session.ts'
import type { Step } from '../plan/step.ts'

/** How long the open transaction may have waited for locks so far, while others wait for those that it holds. */
export interface LockWaits {
  spentMs: number
  /** The lock_timeout that this has made of the session's; null while that stands. */
  timeoutMs: number | null
}

export function noLockWaits(): LockWaits {
  return { spentMs: 0, timeoutMs: null }
}

/** Once the budget is spent a lock must be had within this time. Milliseconds. */
const SHORTEST_MS = 500
/** What is done sooner has not waited for longer than anybody notices. Milliseconds. */
const NOTICED_MS = 50

/** What the next statement of a step may wait for a lock; 0 for ever, as its file says. Pure. Milliseconds. */
export function lockTimeoutLeft({ lockTimeoutMs }: Pick<Step, 'lockTimeoutMs'>, { spentMs }: LockWaits): number {
  const whole = lockTimeoutMs ?? LOCK_TIMEOUT_MS
  return Math.round(Math.min(whole, Math.max(SHORTEST_MS, whole - spentMs)))
}

/**
 * Does work in the open transaction, whose waits for locks last no longer together than one may alone: what is locked
 * first stays locked meanwhile. How long a statement has waited cannot be told from how long it took. One that took
 * twice the time that it might have waited has worked for most of it, and its waits do not matter beside that.
 */
export async function withinLockBudget<T>(
  connection: Connection,
  step: Pick<Step, 'lockTimeoutMs'>,
  { context, lockWaits }: { readonly context: Pick<EngineContext, 'clock'>; readonly lockWaits: LockWaits },
  work: () => Promise<T>,
): Promise<T> {
  const timeoutMs = lockTimeoutLeft(step, lockWaits)
  if (lockWaits.spentMs > 0 && timeoutMs > 0 && timeoutMs !== lockWaits.timeoutMs) {
    await connection.execute(lowerSql(timeoutMs))
    lockWaits.timeoutMs = timeoutMs
  }
  const began = context.clock.monotonic()
  const result = await work()
  const tookMs = context.clock.monotonic() - began
  if (tookMs >= NOTICED_MS && tookMs < 2 * timeoutMs) lockWaits.spentMs += tookMs
  return result
}

/** The statement that lowers the default again behind one that has put it back, as a list of none or one. */
export function lowerAgain(lockWaits: LockWaits): readonly string[] {
  if (lockWaits.spentMs === 0) return []
  const timeoutMs = lockTimeoutLeft({ lockTimeoutMs: null }, lockWaits)
  lockWaits.timeoutMs = timeoutMs
  return [lowerSql(timeoutMs)]
}

/** Until the end of the transaction. What a migration itself has set lower, or to none, stays. */
function lowerSql(timeoutMs: number): string {
  return `SELECT pg_catalog.set_config('lock_timeout', '${timeoutMs}ms', true) FROM pg_catalog.pg_settings
WHERE name = 'lock_timeout' AND setting::integer > ${timeoutMs}`
}
