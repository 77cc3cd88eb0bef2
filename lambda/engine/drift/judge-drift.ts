import type { DriftPolicy } from '../../analysis-contract.ts'
import type { PolicyVerdict } from '../policy/run-facts.ts'
import { describeDifference } from './difference.ts'
import type { Drift } from './find-drift.ts'

/** How many differences a message names. */
const NAMED = 3

const REMEDY =
  'Look at it with "lockstep drift" (or the event {"action":"drift"}), and take it back or put it into a migration. Where it is as it should be, set onDrift to "warn" (LOCKSTEP_ON_DRIFT=warn) for one run: what that leaves is what the next one compares with.'

/**
 * What drift means for a run. Whoever goes back is warned only: the way out must not be closed by what may be the reason
 * to take it. Pure.
 *
 * @param isWayBack - it reverts, or takes a deployment back
 */
export function judgeDrift(policy: DriftPolicy, drift: Drift, isWayBack: boolean): PolicyVerdict {
  if (policy === 'ignore' || drift.kind === 'untouched') return { problems: [], warnings: [] }
  if (drift.kind === 'unknown')
    return {
      problems: [],
      warnings: [`Whether the schema has drifted since the last run cannot be told: ${drift.why}.`],
    }
  const { differences, record } = drift
  if (differences.length === 0) return { problems: [], warnings: [] }
  const named = differences.slice(0, NAMED).map(describeDifference)
  const more = differences.length > NAMED ? `; and ${differences.length - NAMED} more` : ''
  const since = `since the run of ${record.recordedAt.toISOString()}`
  const message = `The schema was changed ${since}, and not by Lockstep: ${named.join('; ')}${more}.`
  if (policy === 'warn' || isWayBack) return { problems: [], warnings: [message] }
  return { problems: [{ code: 'SCHEMA_DRIFTED', migration: null, message, remedy: REMEDY }], warnings: [] }
}
