import pg from 'pg'
import { expect, test } from 'vitest'
import { messageOf } from '../../../lambda/errors.ts'
import type { Job } from '../../../lambda/snapshot/post-data-plan.ts'
import { runPostData } from '../../../lambda/snapshot/run-post-data.ts'
import { createDatabase } from '../../support/database.ts'
import { contextFor, directoryStore } from './support.ts'

function deadlock(): pg.DatabaseError {
  const error = new pg.DatabaseError('deadlock detected', 0, 'error')
  return Object.assign(error, { severity: 'ERROR', code: '40P01' })
}

/** A session on which so many runs of statements that say `second` end in a deadlock. */
async function sessionWith(open: () => Promise<pg.Client>, deadlocks: number): Promise<pg.Client> {
  const client = await open()
  const query = client.query.bind(client) as (sql: string) => Promise<unknown>
  let left = deadlocks
  const failing = async (sql: string): Promise<unknown> => {
    if (!sql.includes('second') || left === 0) return query(sql)
    left -= 1
    throw deadlock()
  }
  return Object.assign<pg.Client, object>(client, { query: failing })
}

/** Light, and under the same settings: they are sent together. */
const settings: readonly string[] = []
const JOBS: readonly Job[] = ['first', 'second', 'third'].map((name) => ({
  sql: `CREATE INDEX ${name} ON t (n)`,
  settings,
  after: [],
  weight: 0,
}))

async function runWith(
  deadlocks: number,
): Promise<{ readonly failure: string | null; readonly made: readonly unknown[] }> {
  const database = await createDatabase()
  await database.rows('CREATE TABLE t (n int)')
  const { openClient } = contextFor(database, await directoryStore())
  const session = await sessionWith(openClient, deadlocks)
  const steps = [{ kind: 'parallel', jobs: JOBS } as const]
  const failure = await runPostData({ sessions: [session], cut: () => {} }, 'post-data.sql', steps).then(
    () => null,
    messageOf,
  )
  await session.end()
  const rows = await database.rows(
    `SELECT relname FROM pg_class WHERE relkind = 'i' AND relnamespace = 'public'::regnamespace ORDER BY 1`,
  )
  return { failure, made: rows.map((row) => row['relname']) }
}

test('a deadlock of one statement among those that are sent together does not run the others twice', async () => {
  expect(await runWith(3)).toEqual({ failure: null, made: ['first', 'second', 'third'] })
})

test('one that comes again and again is told', async () => {
  const { failure } = await runWith(6)
  expect(failure).toBe('post-data.sql, at "CREATE INDEX second ON t": deadlock detected')
})
