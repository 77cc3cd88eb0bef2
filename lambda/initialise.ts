import type { HealthResult, InitResult } from './contract.ts'
import type { EngineContext } from './engine/context.ts'
import { quoteIdentifier, SqlError, type Connection } from './engine/database.ts'
import { explained } from './engine/failure/explained.ts'
import { createHistory, historyReadySql } from './engine/history/history-schema.ts'
import { status } from './engine/inspect.ts'
import { LockstepError } from './errors.ts'
import type { Lockstep } from './lockstep.ts'
import { VERSION } from './version.ts'

/** Databases that a server has from the start, to connect to while the wanted one is not there. */
const MAINTENANCE_DATABASES = ['postgres', 'template1']

/**
 * Creates the database, if it is not there, and the history tables, if they are not.
 *
 * @throws LockstepError `DATABASE_UNREACHABLE`, or `CONFIG_INVALID` without the privilege to create them.
 */
export async function initialise(lockstep: Lockstep): Promise<InitResult> {
  const database = await lockstep.databaseName()
  const createdDatabase = await createDatabaseIfMissing(lockstep, database)
  const connection = await lockstep.connect()
  try {
    const schema = lockstep.config.historySchema
    const { rows } = await connection.query(`SELECT ${historyReadySql(schema)} AS ready`)
    const createdHistory = rows[0]?.ready !== true
    if (createdHistory) await explained(schema, () => createHistory(connection, schema))
    return { database, createdDatabase, createdHistory }
  } finally {
    await connection.close()
  }
}

async function createDatabaseIfMissing(lockstep: Lockstep, database: string): Promise<boolean> {
  const connection = await connectToMaintenance(lockstep)
  try {
    const { rows } = await connection.query('SELECT FROM pg_catalog.pg_database WHERE datname = $1', [database])
    if (rows.length > 0) return false
    await connection.execute(`CREATE DATABASE ${quoteIdentifier(database)}`)
    return true
  } catch (error) {
    // Two at once: the other one has made it.
    if (error instanceof SqlError && ['42P04', '23505'].includes(error.sqlState)) return false
    return await explained(lockstep.config.historySchema, () => Promise.reject(error))
  } finally {
    await connection.close()
  }
}

/** A user may be let into its own database only, which then exists: that one serves as well. */
async function connectToMaintenance(lockstep: Lockstep): Promise<Connection> {
  for (const name of MAINTENANCE_DATABASES) {
    try {
      return await lockstep.connect(name)
    } catch (error) {
      const passable =
        error instanceof LockstepError && ['3D000', '42501', '28000'].includes(error.report.sqlState ?? '')
      if (!passable) throw error
    }
  }
  return lockstep.connect()
}

/** Whether the database answers, and whether it is where the files are. @throws LockstepError `DATABASE_UNREACHABLE`. */
export async function health(lockstep: Lockstep, context: EngineContext): Promise<HealthResult> {
  const connection = await lockstep.connect()
  try {
    const { rows } = await connection.query(`SELECT pg_catalog.current_setting('server_version') AS version`)
    const found = await status(context, lockstep.readMigrations())
    return {
      healthy: found.problems.length === 0,
      database: found.database,
      serverVersion: String(rows[0]?.version),
      lockstepVersion: VERSION,
      upToDate: found.upToDate,
    }
  } finally {
    await connection.close()
  }
}
