import type { Connection } from '../engine/database.ts'

/** Left to say that the server has gone silent. Milliseconds. */
const LAST_MOMENT_MS = 2500

/**
 * Cuts a session off, whatever it waits for, while there is still time to answer: of a network that has gone silent
 * nobody hears before.
 *
 * @param answerWithinMs - milliseconds until nobody waits for an answer any more
 */
export function cutInTime(connection: Connection, answerWithinMs: number): Connection {
  if (answerWithinMs === Infinity) return connection
  const timer = setTimeout(() => connection.abandon(), Math.max(answerWithinMs / 2, answerWithinMs - LAST_MOMENT_MS))
  timer.unref()
  return {
    ...connection,
    close: async () => {
      await connection.close()
      clearTimeout(timer)
    },
  }
}
