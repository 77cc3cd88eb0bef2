import { randomUUID } from 'node:crypto'
import { systemClock } from '../../lambda/adapters/clock.ts'
import { toConnection } from '../../lambda/adapters/postgres.ts'
import { DEFAULT_HISTORY_SCHEMA, DEFAULT_SET } from '../../lambda/config.ts'
import type { EngineContext } from '../../lambda/engine/context.ts'
import { quoteIdentifier, SqlError, type Connection } from '../../lambda/engine/database.ts'
import { hasDeferrable } from '../../lambda/engine/session/deferred-constraints.ts'
import { StepError } from '../../lambda/engine/failure/failure.ts'
import { createHistory, historyTables } from '../../lambda/engine/history/history-schema.ts'
import { noLockWaits } from '../../lambda/engine/lock/lock-budget.ts'
import { resetSessionSql, sessionSettingsSql } from '../../lambda/engine/session/session.ts'
import { runStep, type StepRun } from '../../lambda/engine/run/step-runner.ts'
import type { Step } from '../../lambda/engine/plan/step.ts'
import { silentLog, type Log } from '../../lambda/log.ts'
import { VERSION } from '../../lambda/version.ts'
import { limited } from './limited-session.ts'
import type { ShadowServer } from './shadow-server.ts'

/** A database of a shadow server with a session on which migrations run by the engine's own code. */
export interface ShadowDatabase {
  readonly name: string
  readonly connection: Connection
  /** Schema of Lockstep's own tables, which are no part of what migrations make. */
  readonly historySchema: string
  /** What the engine's functions take, should a statement be run by itself. */
  readonly stepRun: StepRun
  /**
   * Runs one step as a run does, and commits it. A role that turns out to be missing is made.
   *
   * @param beforeCommit - done in the step's transaction, if it has one.
   * @throws StepError; what could be rolled back is.
   */
  readonly apply: (step: Step, beforeCommit?: () => Promise<void>) => Promise<void>
  /** Runs one step in the transaction that is open on the session. @throws StepError; the transaction is then of no use. */
  readonly applyWithin: (step: Step) => Promise<void>
  /** Ends the session; the database stays until it is dropped, or the server is stopped. */
  readonly close: () => Promise<void>
}

export interface ShadowDatabaseOptions {
  /** @default a random name */
  readonly name?: string | undefined
  /** The database to begin as a copy of. @default an empty one */
  readonly template?: string | undefined
  /** @default 'lockstep' */
  readonly historySchema?: string | undefined
  /** What its sessions begin with. @default the server's own */
  readonly defaults?: Readonly<Record<string, string>> | undefined
  readonly log?: Log | undefined
  /** How long a statement may run before it is ended, whatever the migration sets. Milliseconds. @default no limit */
  readonly statementTimeoutMs?: number | undefined
  /** Takes what the server says beside its answers. @default nobody does */
  readonly onNotice?: ((notice: Notice) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** A message of the server, as the driver gives it. */
export interface Notice {
  readonly severity?: string | undefined
  readonly message?: string | undefined
  readonly detail?: string | undefined
}

/** Makes a database on the server and opens a session on it. */
export async function openShadowDatabase(
  server: ShadowServer,
  options: ShadowDatabaseOptions = {},
): Promise<ShadowDatabase> {
  const { template, log = silentLog, signal = new AbortController().signal } = options
  const name = await server.createDatabase({
    ...(options.name === undefined ? {} : { name: options.name }),
    ...(template === undefined ? {} : { template }),
  })
  if (options.defaults !== undefined) await setDefaults(server, name, options.defaults)
  const client = await server.openClient(name)
  if (options.onNotice !== undefined) client.on('notice', options.onNotice)
  const { statementTimeoutMs } = options
  const session = toConnection(client)
  const connection = statementTimeoutMs === undefined ? session : limited(session, server, statementTimeoutMs)
  const historySchema = options.historySchema ?? DEFAULT_HISTORY_SCHEMA
  const context = contextOf(connection, historySchema, log)
  await createHistory(connection, historySchema)
  await connection.execute(sessionSettingsSql(context))
  const deferrable = template !== undefined && (await hasDeferrable(connection))
  const stepRun: StepRun = { ...freshRun(context, signal), deferrable }
  const applyWithin = async (step: Step): Promise<void> => {
    await runStep(connection, step, stepRun)
    // The history of a shadow is nobody's, and what ran in a transaction is not in it: nothing else may be, or its way back
    // would leave it there.
    stepRun.unrecorded = []
    if (!step.transactional) await connection.execute(`DELETE FROM ${historyTables(historySchema).migrations}`)
  }
  return {
    name,
    connection,
    historySchema,
    stepRun,
    applyWithin,
    apply: (step, beforeCommit) =>
      withMissingRoles(server, () => applyAlone(connection, step, { context, applyWithin, beforeCommit })),
    close: () => connection.close(),
  }
}

async function setDefaults(
  server: ShadowServer,
  database: string,
  defaults: Readonly<Record<string, string>>,
): Promise<void> {
  const connection = await server.connect(database)
  try {
    for (const [name, value] of Object.entries(defaults)) {
      await connection.query('SELECT pg_catalog.set_config($1, $2, false)', [name, value])
      await connection.execute(`ALTER DATABASE ${quoteIdentifier(database)} SET ${quoteIdentifier(name)} FROM CURRENT`)
    }
  } finally {
    await connection.close()
  }
}

function freshRun(context: EngineContext, signal: AbortSignal): StepRun {
  return {
    context,
    runId: context.newRunId(),
    progress: [],
    signal,
    nextPosition: 1,
    required: new Set(),
    historyLength: 0,
    deferrable: false,
    progressed: false,
    pauseBefore: null,
    unrecorded: [],
    lockWaits: noLockWaits(),
  }
}

function contextOf(connection: Connection, schema: string, log: Log): EngineContext {
  return {
    connect: async () => connection,
    set: DEFAULT_SET,
    schema,
    scope: 'migration',
    trigger: 'cli',
    appliedBy: 'shadow',
    version: VERSION,
    lockTimeoutMs: 0,
    remainingMs: () => Infinity,
    shouldPause: () => false,
    newRunId: randomUUID,
    clock: systemClock,
    log,
  }
}

async function applyAlone(
  connection: Connection,
  step: Step,
  how: {
    readonly context: EngineContext
    readonly applyWithin: (step: Step) => Promise<void>
    readonly beforeCommit: (() => Promise<void>) | undefined
  },
): Promise<void> {
  try {
    if (step.transactional) await connection.execute('BEGIN')
    await how.applyWithin(step)
    if (step.transactional) await how.beforeCommit?.()
    if (step.transactional) await commit(connection, step)
  } catch (error) {
    if (connection.isOpen()) await connection.execute(`ROLLBACK; ${resetSessionSql(how.context)}`)
    throw error
  }
}

async function commit(connection: Connection, step: Step): Promise<void> {
  try {
    await connection.execute('COMMIT')
  } catch (error) {
    throw new StepError(step, null, error)
  }
}

/** More roles than this are not missing from one migration. */
const MOST_ROLES = 50

/** Roles that only the text of a function or code names cannot be found before. */
export async function withMissingRoles<T>(server: ShadowServer, work: () => Promise<T>): Promise<T> {
  for (let made = 0; ; made += 1) {
    try {
      return await work()
    } catch (error) {
      if (made === MOST_ROLES || !(await makeMissingRole(server, error))) throw error
    }
  }
}

/** Makes the role for want of which a step failed, if that is why. */
export async function makeMissingRole(server: ShadowServer, error: unknown): Promise<boolean> {
  const role = missingRole(error)
  return role !== null && (await server.createRoles([role])).length > 0
}

/** undefined_object (PostgreSQL, appendix A) */
const UNDEFINED_OBJECT = '42704'

function missingRole(error: unknown): string | null {
  const cause = error instanceof StepError ? error.cause : error
  if (!(cause instanceof SqlError) || cause.sqlState !== UNDEFINED_OBJECT) return null
  return /^role "(.+)" does not exist$/.exec(cause.message)?.[1] ?? null
}
