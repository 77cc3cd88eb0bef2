import { setTimeout as delay } from 'node:timers/promises'
import { readIntent, type Intent, type Transition } from './intent.ts'
import type { Lockstep } from './lockstep.ts'

/** A bucket that there is a route to answers sooner. Milliseconds. */
const PATIENCE_MS = 10_000

/**
 * What the bucket holds of a transition. It is not waited for longer than half of the time that is left: a function
 * that has just found the database unreachable must still say so.
 *
 * @throws when it cannot be read: then nothing is known.
 */
export async function knownIntent(
  { snapshots, remainingMs }: Pick<Lockstep, 'snapshots' | 'remainingMs'>,
  transition: Transition,
): Promise<Intent | null> {
  const answered = new AbortController()
  const silence = async (): Promise<never> => {
    await delay(Math.min(PATIENCE_MS, remainingMs() / 2), null, { signal: answered.signal })
    throw new Error('the bucket does not answer')
  }
  try {
    return await Promise.race([readIntent(snapshots().store, transition), silence()])
  } finally {
    answered.abort()
  }
}
