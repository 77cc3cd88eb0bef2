import type { RunRecord } from '../history/state.ts'

/** What an Update says of what it deploys. */
export interface Targets {
  /** Hash of the migrations that this event deploys. */
  readonly target: string
  /** Hash of the migrations that were deployed before; null on Create. */
  readonly previousTarget: string | null
}

/** Beyond this, a return to earlier properties is taken for an intentional deployment. DESIGN §7. Milliseconds. */
const ROLLBACK_WINDOW_MS = 4 * 3_600_000

/** Whether CloudFormation says that it is taking a deployment back; null when it could not be asked. Pure. */
export function saysRollback(stackStatus: string | null): boolean | null {
  if (stackStatus === null) return null
  return /^(?:UPDATE_)?ROLLBACK_/.test(stackStatus)
}

/**
 * Whether an Update takes a failed deployment back. CloudFormation's word counts; where it cannot be asked, it is a
 * rollback when the previous run of the same resource aimed at what are now the old properties, a short while ago. Pure.
 */
export function isRollback(
  targets: Targets,
  lastRun: Pick<RunRecord, 'details' | 'startedAt'> | null,
  now: Date,
  stackStatus: string | null,
): boolean {
  const { target, previousTarget } = targets
  if (previousTarget === null || target === previousTarget) return false
  const said = saysRollback(stackStatus)
  if (said !== null) return said
  if (lastRun === null) return false
  return aimedAt(lastRun, previousTarget) && now.getTime() - lastRun.startedAt.getTime() < ROLLBACK_WINDOW_MS
}

/** Whether the run belongs to the deployment of these migrations. */
export function aimedAt(run: Pick<RunRecord, 'details'>, target: string | null): boolean {
  return target !== null && run.details.target === target
}

/**
 * The run that a rollback would take back: the latest of the resource, but for attempts to reach this same target that
 * did not succeed (a rollback that failed and is now continued). Pure.
 *
 * @param runs - of the resource, newest first
 */
export function runToTakeBack(runs: readonly RunRecord[], target: string): RunRecord | null {
  return runs.find((run) => run.status === 'succeeded' || !aimedAt(run, target)) ?? null
}
