import type { Step } from './engine/plan/step.ts'
import { LockstepError, messageOf, UNTOUCHED } from './errors.ts'
import type { Lockstep } from './lockstep.ts'
import type { SnapshotEstimate } from './snapshot-contract.ts'
import { selectionFor, type RunSelection } from './run-snapshot-scope.ts'
import { copySpeed, sizeOfSelection } from './snapshot/estimate.ts'
import { sqlStateOf } from './snapshot/failure.ts'
import type { SnapshotContext } from './snapshot/snapshot.ts'

/** Left for the structure, for what is stored last, and for the first migration. Milliseconds. */
const MARGIN_MS = 30_000
/** How long copying must have gone on before it tells how it will go on. Milliseconds. */
const TELLING_MS = 20_000

/**
 * What the snapshot before these steps would hold, and how long it would take. Null, with a warning, where that cannot
 * be found out: a plan does not fail for it.
 */
export async function estimateFor(lockstep: Lockstep, steps: readonly Step[]): Promise<SnapshotEstimate | null> {
  try {
    return await estimate(lockstep, await selectionFor(lockstep, steps))
  } catch (error) {
    lockstep.log.warn('the snapshot cannot be estimated', { error: messageOf(error) })
    return null
  }
}

async function estimate(lockstep: Lockstep, { selection, unsure }: RunSelection): Promise<SnapshotEstimate> {
  const context = lockstep.snapshots()
  const { database, ...size } = await sizeOfSelection(context, selection)
  const workers = lockstep.config.snapshotWorkers
  const { bytesPerSecond, basis } = await copySpeed({ store: context.store, workers }, database)
  const { scope } = selection
  return {
    scope: scope.kind,
    ...size,
    seconds: Math.ceil(size.bytes / bytesPerSecond),
    bytesPerSecond: Math.round(bytesPerSecond),
    speed: basis,
    affected: scope.kind === 'affected' ? scope.tables : null,
    unsure,
  }
}

/**
 * A context for the snapshot of a run, which gives up as soon as copying turns out to take longer than there is time.
 *
 * @throws LockstepError `SNAPSHOT_FAILED` when that is to be seen before it starts.
 */
export async function withinTime(lockstep: Lockstep, selection: RunSelection): Promise<SnapshotContext> {
  const context = lockstep.snapshots()
  const leftMs = (): number => lockstep.remainingMs() - MARGIN_MS
  if (leftMs() === Infinity) return context
  const expected = await estimateUnlessLocked(lockstep, selection)
  if (expected !== null) refuse(expected, leftMs())
  const controller = new AbortController()
  return {
    ...context,
    signal: context.signal === undefined ? controller.signal : AbortSignal.any([context.signal, controller.signal]),
    onOutlook: ({ elapsedMs, restMs }) => {
      if (elapsedMs >= TELLING_MS && restMs > leftMs()) controller.abort(tooSlow(elapsedMs, restMs, leftMs()))
    },
  }
}

/** Null while somebody has locked a table, whose size cannot be read then: the snapshot itself waits for longer. */
async function estimateUnlessLocked(lockstep: Lockstep, selection: RunSelection): Promise<SnapshotEstimate | null> {
  try {
    return await estimate(lockstep, selection)
  } catch (error) {
    if (sqlStateOf(error) !== LOCK_NOT_AVAILABLE) throw error
    lockstep.log.warn('the snapshot cannot be estimated: a table is locked', { error: messageOf(error) })
    return null
  }
}

// PostgreSQL, appendix A
const LOCK_NOT_AVAILABLE = '55P03'

function refuse({ bytes, tables, seconds, bytesPerSecond, speed }: SnapshotEstimate, leftMs: number): void {
  if (seconds * 1000 <= leftMs) return
  const how = speed === 'measured' ? 'as measured on an earlier snapshot' : 'which is assumed at best'
  throw outOfTime(
    `The snapshot would copy ${amountOf(bytes)} of ${tables} tables. At ${amountOf(bytesPerSecond)}/s, ${how}, that takes ${durationOf(seconds * 1000)}, and ${durationOf(leftMs)} are left for it.`,
  )
}

function tooSlow(elapsedMs: number, restMs: number, leftMs: number): LockstepError {
  return outOfTime(
    `The snapshot was given up after ${durationOf(elapsedMs)}: at its speed it would go on for ${durationOf(restMs)}, and ${durationOf(leftMs)} were left for it.`,
  )
}

function outOfTime(message: string): LockstepError {
  return new LockstepError({
    code: 'SNAPSHOT_FAILED',
    message,
    state: UNTOUCHED,
    remedy:
      'Copy less (snapshot scope "affected" or "schemas:…", or exclude tables), copy faster (more memory and workers), give the run more time (totalTimeout; one invocation of a function ends after 15 minutes), or take a copy of the storage: Snapshot.rds().',
  })
}

function amountOf(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB']
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3))
  return `${Number((bytes / 1000 ** power).toPrecision(3))} ${units[power]}`
}

function durationOf(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000))
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`
}
