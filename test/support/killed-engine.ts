import type { EngineContext } from '../../lambda/engine/context.ts'
import { ConnectionLostError, type Connection } from '../../lambda/engine/database.ts'

/** An engine whose process is killed before it sends a message that begins with this. */
export function killedBefore(statement: string, engine: EngineContext): EngineContext {
  return dying(engine, async (connection, text) => {
    if (text.startsWith(statement)) connection.abandon()
    return connection.execute(text)
  })
}

/** An engine whose process is killed when a message that begins with this has been answered. */
export function killedAfter(statement: string, engine: EngineContext): EngineContext {
  return dying(engine, async (connection, text) => {
    const results = await connection.execute(text)
    if (!text.startsWith(statement)) return results
    await connection.close()
    throw new ConnectionLostError('killed')
  })
}

/** Connects once: whoever is dead does not connect again. */
function dying(
  engine: EngineContext,
  execute: (connection: Connection, text: string) => ReturnType<Connection['execute']>,
): EngineContext {
  let connections = 0
  const connect = async (): Promise<Connection> => {
    connections += 1
    if (connections > 1) throw new ConnectionLostError('killed')
    const connection = await engine.connect()
    return { ...connection, execute: (text) => execute(connection, text) }
  }
  return { ...engine, lockTimeoutMs: 0, connect }
}
