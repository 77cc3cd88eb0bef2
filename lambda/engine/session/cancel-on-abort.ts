import { messageOf } from '../../errors.ts'
import type { EngineContext } from '../context.ts'
import type { Connection } from '../database.ts'

/** A session that has not answered by then never will: the network between is silent. Milliseconds. */
const SILENCE_MS = 4000
/** How long to wait for a cancellation that is under way before rolling back. Milliseconds. */
const PATIENCE_MS = 3000

/**
 * Cancels, from a second session, the statement that is under way when the run is told to stop. The function that is
 * given back ends this; it waits for a cancellation under way, which would otherwise hit what comes after.
 */
export function cancelOnAbort(
  context: EngineContext,
  connection: Connection,
  signal: AbortSignal,
): () => Promise<void> {
  let cancelling: Promise<void> | null = null
  let overdue: NodeJS.Timeout | undefined
  const onAbort = (): void => {
    cancelling = cancel(context, connection.processId)
    overdue = setTimeout(() => connection.abandon(), SILENCE_MS)
  }
  signal.addEventListener('abort', onAbort, { once: true })
  return async () => {
    signal.removeEventListener('abort', onAbort)
    clearTimeout(overdue)
    if (cancelling === null) return
    await Promise.race([cancelling, context.clock.sleep(PATIENCE_MS)])
    // The server acts on the signal a moment after it was sent: this statement takes it, if nothing else did.
    if (connection.isOpen()) await connection.execute('SELECT 1').catch(() => [])
  }
}

async function cancel(context: EngineContext, processId: number): Promise<void> {
  try {
    const second = await context.connect()
    await second.execute(`SELECT pg_catalog.pg_cancel_backend(${processId})`)
    await second.close()
  } catch (error) {
    context.log.warn('could not cancel the statement that is under way', { error: messageOf(error) })
  }
}
