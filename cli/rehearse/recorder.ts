import type { Connection } from '../../lambda/engine/database.ts'
import { messageOf } from '../../lambda/errors.ts'
import type { StatementWatch, WatchedStatement } from '../../lambda/engine/run/watch.ts'
import { readCatalog } from '../lint/catalog.ts'
import type { Observation, Relation } from '../lint/observation.ts'
import type { ShadowServer } from '../shadow/shadow-server.ts'
import { getReady, observe } from './observe-statement.ts'
import { sampleLocks } from './sample-locks.ts'
import { tapeOf } from './tape.ts'

/** What a statement of a run did, and how long it took. Times are without what watching took. Milliseconds. */
export interface RecordedStatement {
  readonly at: WatchedStatement
  readonly beganMs: number
  readonly durationMs: number
  /** Statements of the same transaction have the same number. */
  readonly transaction: number
  /** Null for one that failed, and where nothing may be asked. */
  readonly observation: Observation | null
  readonly failed: boolean
}

/** One run, statement by statement. */
export interface Recording {
  /** What there was when it began. */
  readonly relations: ReadonlyMap<number, Relation>
  readonly statements: readonly RecordedStatement[]
  /** When each transaction ended, by its number. */
  readonly ends: ReadonlyMap<number, number>
  readonly durationMs: number
}

export interface Recorder {
  readonly watch: StatementWatch
  /** Stands still while watching takes its time. Monotonic milliseconds. */
  readonly clock: () => number
  /** Opens a session on which a run is recorded. */
  readonly connect: () => Promise<Connection>
  /** Records a run. @param run - on {@link connect}, with {@link watch} */
  readonly record: <T>(run: () => Promise<T>) => Promise<{ readonly result: T; readonly recording: Recording }>
}

/** Watches what runs on a scratch database. @param inspection - another session on it, which looks from outside */
export function createRecorder(
  scratch: { readonly server: ShadowServer; readonly database: string; readonly historySchema: string },
  inspection: Connection,
): Recorder {
  const { server, database, historySchema } = scratch
  let tape = tapeOf({ relations: new Map(), schemas: new Map() })
  const clock = (): number => performance.now() - tape.hiddenMs
  const hide = async <T>(work: () => Promise<T>): Promise<T> => {
    const began = performance.now()
    try {
      return await work()
    } finally {
      tape.hiddenMs += performance.now() - began
    }
  }
  const endTransaction = (): void => {
    tape.ends.set(tape.transaction, clock())
    tape.transaction += 1
    tape.last = null
  }
  const watch: StatementWatch = async (connection, at, work) => {
    // Refused in a transaction that has failed, which code may yet save by a savepoint.
    await hide(() => getReady(tape, connection, at, historySchema).catch(() => {}))
    const sampler = at.within ? null : sampleLocks(inspection, connection.processId)
    const began = clock()
    const took = (): Pick<RecordedStatement, 'at' | 'beganMs' | 'durationMs' | 'transaction'> => ({
      at,
      beganMs: began,
      durationMs: Math.max(0, clock() - began),
      transaction: tape.transaction,
    })
    try {
      const result = await work()
      const done = took()
      const observation = await hide(async () => {
        const sampled = (await sampler?.stop()) ?? []
        return observe(tape, connection, at, { historySchema, sampled }).catch(notObserved)
      })
      tape.statements.push({ ...done, observation, failed: false })
      if (!at.within) endTransaction()
      return result
    } catch (error) {
      tape.statements.push({ ...took(), observation: null, failed: true })
      await hide(async () => sampler?.stop())
      throw error
    }
  }
  return {
    watch,
    clock,
    connect: async () => recorded(await server.connect(database), endTransaction),
    record: async (run) => {
      const catalog = await readCatalog(inspection, historySchema)
      tape = tapeOf(catalog)
      const began = clock()
      const result = await run()
      const durationMs = clock() - began
      if (!tape.ends.has(tape.transaction)) endTransaction()
      const { statements, ends } = tape
      return { result, recording: { relations: catalog.relations, statements, ends, durationMs } }
    },
  }
}

/** Such as for a timeout of the migration's own that is too short for a question. */
function notObserved(error: unknown): never {
  throw new Error(`the server could not be asked what the statement did: ${messageOf(error)}`, { cause: error })
}

/** What ends a transaction; not ROLLBACK TO a savepoint, nor the end of a function's body. */
const ENDS = /(?:(?:^|;)\s*(?:COMMIT|ROLLBACK)|^\s*END)(?:\s+(?:WORK|TRANSACTION))?\s*;?\s*$/i

function recorded(connection: Connection, onEnd: () => void): Connection {
  return {
    ...connection,
    execute: async (sql) => {
      try {
        return await connection.execute(sql)
      } finally {
        if (ENDS.test(sql)) onEnd()
      }
    },
  }
}
