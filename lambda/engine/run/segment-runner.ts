import type { MigrationTiming } from '../../contract.ts'
import { LockstepError } from '../../errors.ts'
import type { Connection } from '../database.ts'
import { quoteLiteral } from '../database.ts'
import { driveSteps } from './drive.ts'
import { historyTables } from '../history/history-schema.ts'
import { noLockWaits } from '../lock/lock-budget.ts'
import { retryOnLock } from '../lock/lock-retry.ts'
import { holdsLockSql, lockKey } from '../lock/lock.ts'
import { isPause, pausesHere } from './pause.ts'
import type { Segment } from '../plan/segments.ts'
import { isRepeatable } from '../migration/repeatable.ts'
import type { Step } from '../plan/step.ts'
import { runStep, takeRecords, type StepRun } from './step-runner.ts'

/** What a segment has done. */
export interface Performed {
  readonly timings: readonly MigrationTiming[]
  /** The rest of it is left to a later invocation. */
  readonly paused: boolean
}

/** Statements on the run's record that commit with a segment. */
export interface Closing {
  /** When all of it was done. Null: nothing but the history changes. */
  readonly whole: string | null
  readonly paused: (timings: readonly MigrationTiming[]) => string
}

/**
 * Runs a segment and commits it, with what `closing` says of the run's record; pauses between two migrations. What
 * other sessions' locks prevent is done again as a whole.
 *
 * @throws StepError, or whatever the connection threw; the transaction is then still open.
 */
export async function runSegment(
  connection: Connection,
  segment: Segment,
  run: StepRun,
  closing: Closing,
): Promise<Performed> {
  if (!segment.transactional) {
    const performed = await perform(connection, segment, run)
    const { rows } = await connection.query(`SELECT ${lockHeldSql(run)} AS locked`)
    if (rows[0]?.locked !== true) throw await lostLock(connection, performed)
    const sql = closingSql(closing, performed)
    if (sql !== null) await connection.execute(sql)
    return performed
  }
  const { nextPosition, historyLength, deferrable, progressed } = run
  return retryOnLock(connection, run, async () => {
    Object.assign(run, {
      nextPosition,
      historyLength,
      deferrable,
      progressed,
      unrecorded: [],
      lockWaits: noLockWaits(),
    })
    await connection.execute('BEGIN')
    const performed = await perform(connection, segment, run)
    await verifyHistory(connection, performed, run, closing)
    await connection.execute('COMMIT')
    return performed
  })
}

function closingSql({ whole, paused }: Closing, performed: Performed): string | null {
  return performed.paused ? paused(performed.timings) : whole
}

async function perform(connection: Connection, segment: Segment, run: StepRun): Promise<Performed> {
  const timings: MigrationTiming[] = []
  let paused = false
  try {
    await driveSteps(segment.steps, async (step) => {
      paused ||=
        (pausesHere(run) && !isAmongRepeatables(segment, step)) || (run.progressed && run.pauseBefore === step.id)
      if (!paused) timings.push(await runStep(connection, step, run))
    })
    return { timings, paused }
  } catch (error) {
    if (isPause(error) && !segment.transactional) return { timings, paused: true }
    throw error
  }
}

/** Repeatables are applied together: what was committed of some of them could not be taken back from the files. */
function isAmongRepeatables({ steps }: Segment, step: Step): boolean {
  return isRepeatable(step) && step !== steps.find(isRepeatable)
}

/**
 * Records the steps, closes the run's record, and makes sure before the commit that the history says what the plan
 * said, and that no other run of the set can have begun.
 */
async function verifyHistory(
  connection: Connection,
  performed: Performed,
  run: StepRun,
  closing: Closing,
): Promise<void> {
  const { context } = run
  const { timings } = performed
  const ids = timings.map(({ id }) => quoteLiteral(id)).join(', ')
  const count = `SELECT ${lockHeldSql(run)} AS locked, count(*)::int AS total,
  count(*) FILTER (WHERE id = ANY (ARRAY[${ids}]::text[]))::int AS found
FROM ${historyTables(context.schema).migrations} WHERE "set" = ${quoteLiteral(context.set)}`
  const end = closingSql(closing, performed)
  const parts = [...takeRecords(run), ...(end === null ? [] : [end]), count]
  const results = await connection.execute(parts.join(';\n'))
  const { locked, total, found } = (results.at(-1)?.rows[0] ?? {}) as Verification
  if (locked !== true) throw await lostLock(connection, performed)
  const isUp = timings[0]?.direction === 'up'
  if (isUp ? total === run.historyLength && found === timings.length : found === 0) return
  throw new LockstepError({
    code: 'MIGRATION_FAILED',
    message: `After the migrations the history of the set is not what was planned (${total} in all, ${found} of these): one of them changed the history tables.`,
    state: 'The transaction was rolled back.',
    remedy: `Remove what changes the schema "${context.schema}" from the migrations.`,
  })
}

interface Verification {
  readonly locked?: boolean
  readonly total?: number
  readonly found?: number
}

function lockHeldSql({ context }: StepRun): string {
  return holdsLockSql(lockKey(context.schema, context.set))
}

/** Ends the session as well: the way back must be gone with the lock, so on a new one. */
async function lostLock(connection: Connection, { timings }: Performed): Promise<LockstepError> {
  await connection.close()
  const ids = timings.map(({ id }) => id)
  return new LockstepError({
    code: 'MIGRATION_FAILED',
    message: `The lock that keeps other runs of the set away was given up during ${ids.length === 1 ? ids[0] : `one of ${ids.join(', ')}`}.`,
    state: 'The transaction was rolled back.',
    remedy:
      'Remove DISCARD ALL, pg_advisory_unlock_all() and whatever else releases advisory locks from the migrations. If there is nothing of the kind, a pooler stands between: connect to the server directly, or in session mode.',
  })
}
