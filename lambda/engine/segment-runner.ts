import type { MigrationTiming } from '../contract.ts'
import { LockstepError } from '../errors.ts'
import type { Connection } from './database.ts'
import { quoteLiteral } from './database.ts'
import { driveSteps } from './drive.ts'
import { isLockConflict } from './failure.ts'
import { historyTables } from './history-schema.ts'
import type { Segment } from './segments.ts'
import { runStep, takeRecords, type StepRun } from './step-runner.ts'

/** How often a segment is tried when other sessions' locks are in its way. */
const LOCK_ATTEMPTS = 6
const LOCK_PAUSE_MS = 500

/**
 * Runs a segment and commits it. `closing` is a statement that commits with it: the end of the run's record. A lock
 * that other sessions hold is tried for again, so that DDL waits in many short turns and not in one long one.
 *
 * @throws StepError, or whatever the connection threw; the transaction is then still open.
 */
export async function runSegment(
  connection: Connection,
  segment: Segment,
  run: StepRun,
  closing: string | null,
): Promise<readonly MigrationTiming[]> {
  if (!segment.transactional) {
    const timings = await perform(connection, segment, run)
    if (closing !== null) await connection.execute(closing)
    return timings
  }
  const { nextPosition, historyLength } = run
  for (let attempt = 1; ; attempt += 1) {
    try {
      Object.assign(run, { nextPosition, historyLength, unrecorded: [] })
      await connection.execute('BEGIN')
      const timings = await perform(connection, segment, run)
      await verifyHistory(connection, segment, run, closing)
      await connection.execute('COMMIT')
      return timings
    } catch (error) {
      if (!isLockConflict(error) || attempt === LOCK_ATTEMPTS || run.signal.aborted) throw error
      await connection.execute('ROLLBACK')
      run.context.log.warn('a lock is held by another session; trying again', { attempt, of: LOCK_ATTEMPTS })
      await run.context.clock.sleep(LOCK_PAUSE_MS * 2 ** (attempt - 1) * (0.5 + Math.random()))
    }
  }
}

async function perform(connection: Connection, segment: Segment, run: StepRun): Promise<readonly MigrationTiming[]> {
  const timings: MigrationTiming[] = []
  await driveSteps(segment.steps, async (step) => {
    timings.push(await runStep(connection, step, run))
  })
  return timings
}

/** Records the steps, closes the run's record, and makes sure before the commit that the history says what the plan said. */
async function verifyHistory(
  connection: Connection,
  segment: Segment,
  run: StepRun,
  closing: string | null,
): Promise<void> {
  const { context } = run
  const ids = segment.steps.map((step) => quoteLiteral(step.id)).join(', ')
  const count = `SELECT count(*)::int AS total, count(*) FILTER (WHERE id IN (${ids}))::int AS found
FROM ${historyTables(context.schema).migrations} WHERE "set" = ${quoteLiteral(context.set)}`
  const parts = [...takeRecords(run), ...(closing === null ? [] : [closing]), count]
  const results = await connection.execute(parts.join(';\n'))
  const { total, found } = (results.at(-1)?.rows[0] ?? {}) as { readonly total?: number; readonly found?: number }
  const isUp = segment.steps[0]?.direction === 'up'
  if (isUp ? total === run.historyLength && found === segment.steps.length : found === 0) return
  throw new LockstepError({
    code: 'MIGRATION_FAILED',
    message: `After the migrations the history of the set is not what was planned (${total} in all, ${found} of these): one of them changed the history tables.`,
    state: 'The transaction was rolled back.',
    remedy: `Remove what changes the schema "${context.schema}" from the migrations.`,
  })
}
