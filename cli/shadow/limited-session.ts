import { SqlError, type Connection } from '../../lambda/engine/database.ts'
import type { ShadowServer } from './shadow-server.ts'

/** query_canceled (PostgreSQL, appendix A) */
const CANCELLED = '57014'

/**
 * A session whose statements are ended from outside when they last too long: a migration may set a `statement_timeout`
 * of its own, or none.
 */
export function limited(session: Connection, server: Pick<ShadowServer, 'connect'>, limitMs: number): Connection {
  const within = async <T>(work: () => Promise<T>): Promise<T> => {
    let isOver = false
    const timer = setTimeout(() => {
      isOver = true
      void cancel(server, session.processId)
    }, limitMs)
    try {
      return await work()
    } catch (error) {
      throw isOver && error instanceof SqlError && error.sqlState === CANCELLED ? overTime(limitMs) : error
    } finally {
      clearTimeout(timer)
    }
  }
  return {
    ...session,
    execute: (sql) => within(() => session.execute(sql)),
    query: (sql, parameters) => within(() => session.query(sql, parameters)),
  }
}

async function cancel(server: Pick<ShadowServer, 'connect'>, processId: number): Promise<void> {
  try {
    const other = await server.connect('postgres')
    await other.query('SELECT pg_catalog.pg_cancel_backend($1)', [processId])
    await other.close()
  } catch {
    // The server is gone, and with it the statement.
  }
}

function overTime(limitMs: number): SqlError {
  return new SqlError(`it ran for longer than ${limitMs / 1000} s and was ended (--statement-timeout)`, {
    sqlState: CANCELLED,
  })
}
