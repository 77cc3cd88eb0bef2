import type pg from 'pg'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { sqlStateOf } from './failure.ts'
import { inParallel } from './in-parallel.ts'
import type { OpenSession } from './session.ts'

/** Sessions in one database that work at the same time. */
export interface SessionPool {
  /** At least one. */
  readonly sessions: readonly [pg.Client, ...pg.Client[]]
  /** Ends all of them at once, and says why. */
  readonly cut: (reason: unknown) => void
}

// too_many_connections (PostgreSQL, appendix A)
const TOO_MANY_CONNECTIONS = '53300'

/** Opens further sessions until there are `wanted`, or as many as the server gives. */
export async function growPool(
  pool: SessionPool,
  wanted: number,
  { open, log }: { readonly open: OpenSession; readonly log: Log },
): Promise<SessionPool> {
  const missing = Math.max(0, wanted - pool.sessions.length)
  const opened = await Promise.allSettled(Array.from({ length: missing }, async () => open(undefined, 'none')))
  const refused = opened.filter((result) => result.status === 'rejected').map(({ reason }): unknown => reason)
  const other = refused.find((reason) => sqlStateOf(reason) !== TOO_MANY_CONNECTIONS)
  if (other !== undefined) throw other
  const more = opened.filter((result) => result.status === 'fulfilled').map(({ value }) => value)
  if (refused.length > 0) {
    const sessions = pool.sessions.length + more.length
    log.warn('The server gave no further connections: the restore goes on with fewer', {
      sessions,
      reason: messageOf(refused[0]),
    })
  }
  return { ...pool, sessions: [...pool.sessions, ...more] }
}

/** Does the tasks in their order: each session takes the next one once it is free. */
export async function shareOut<T>(
  { sessions, cut }: SessionPool,
  tasks: readonly T[],
  work: (session: pg.Client, task: T) => Promise<void>,
): Promise<void> {
  await inParallel(sessions, tasks, work, cut)
}
