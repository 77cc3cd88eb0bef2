import type { Connection } from '../../lambda/engine/database.ts'
import { treeOf } from '../../lambda/engine/migration/parse-tree.ts'
import type { Statement } from '../../lambda/engine/migration/statements.ts'
import type { ShadowDatabase, ShadowDatabaseOptions } from '../shadow/shadow-database.ts'
import type { ShadowServer } from '../shadow/shadow-server.ts'
import { openShadowDatabase } from '../shadow/shadow-database.ts'
import { readCatalog, readProbe, type Catalog, type Probe } from './catalog.ts'
import { differenceOf, differenceOutside, type Before, type Difference } from './difference.ts'
import type { Message, Observation, ObservedStatement } from './observation.ts'

/** A database on which statements run watched. */
export interface WatchedDatabase {
  readonly server: ShadowServer
  readonly database: ShadowDatabase
  /** What the server has said since it was last emptied. */
  readonly messages: Message[]
  /** Of the sessions in which the migrations will run; null: the server's. */
  readonly timeZone: string | null
}

/** Opens an empty database whose server tells what it does. */
export async function openWatchedDatabase(
  server: ShadowServer,
  options: Partial<Pick<ShadowDatabaseOptions, 'historySchema' | 'signal' | 'statementTimeoutMs'>> & {
    readonly timeZone?: string | undefined
  } = {},
): Promise<WatchedDatabase> {
  const messages: Message[] = []
  const database = await openShadowDatabase(server, {
    historySchema: options.historySchema,
    signal: options.signal,
    statementTimeoutMs: options.statementTimeoutMs,
    onNotice: ({ severity = '', message = '', detail = '' }) => void messages.push({ severity, text: message, detail }),
  })
  return { server, database, messages, timeZone: options.timeZone ?? null }
}

/** DEBUG1 is where ALTER TABLE says that it rewrites or verifies a table, and index builds are announced. */
const LOUD = 'SET client_min_messages = debug1'

/** What is observed of one migration, while it runs. */
export interface Watch {
  readonly watched: WatchedDatabase
  readonly before: Before
  catalog: Catalog
  /** Of the open transaction; null before its first statement. */
  last: Probe | null
  readonly observations: Observation[]
}

export function watchOf(watched: WatchedDatabase, catalog: Catalog, before: Before): Watch {
  return { watched, before, catalog, last: null, observations: [] }
}

/** Runs a statement in the open transaction and notes what it did. */
export async function watchWithin(watch: Watch, statement: ObservedStatement, run: () => Promise<void>): Promise<void> {
  const { database, messages } = watch.watched
  await runLoudly(watch, run)
  // Before SET TRANSACTION nothing may be asked.
  if (statement.source?.traits.setsTransaction === true) return
  const heard = [...messages]
  const now = await readProbe(database.connection, database.historySchema)
  const difference = differenceOf(watch.catalog, { last: watch.last, now }, watch.before)
  watch.last = now
  // What is taken back to a savepoint is not locked any more.
  const catalog = statement.kind === 'TransactionStmt' ? await read(watch) : difference.catalog
  note(watch, statement, { ...difference, catalog }, heard)
}

/** Runs a statement that cannot share a transaction, or that may commit by itself. */
export async function watchOutside(
  watch: Watch,
  statement: ObservedStatement,
  run: () => Promise<void>,
): Promise<void> {
  await runLoudly(watch, run)
  const heard = [...watch.watched.messages]
  watch.last = null
  note(watch, statement, differenceOutside(watch.catalog, await read(watch), watch.before), heard)
}

async function runLoudly({ watched }: Watch, run: () => Promise<void>): Promise<void> {
  const { database, messages } = watched
  await database.connection.execute(LOUD)
  messages.length = 0
  await run()
}

function note(watch: Watch, statement: ObservedStatement, difference: Difference, messages: readonly Message[]): void {
  watch.catalog = difference.catalog
  watch.observations.push({ ...difference.facts, statement, messages })
}

async function read({ watched: { database } }: Watch): Promise<Catalog> {
  return readCatalog(database.connection, database.historySchema)
}

/** A statement with what its text means. */
export function observedStatement(sql: string, source: Statement | null): ObservedStatement {
  return { sql, source, ...treeOf(sql) }
}

/** A session whose statements are watched, for code. */
export function watchedConnection(watch: Watch, transactional: boolean): Connection {
  const { connection } = watch.watched.database
  const observe = transactional ? watchWithin : watchOutside
  return {
    ...connection,
    query: async (sql, parameters) => {
      let result = { rows: [], rowCount: 0 } as Awaited<ReturnType<Connection['query']>>
      await observe(watch, observedStatement(sql, null), async () => {
        result = await connection.query(sql, parameters)
      })
      return result
    },
  }
}
