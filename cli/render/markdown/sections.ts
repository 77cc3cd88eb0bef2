import type { PlanResult } from '../../../lambda/plan-contract.ts'
import type { SnapshotEstimate } from '../../../lambda/snapshot-contract.ts'
import { BLOCKED, locksOfRun, sizeOf } from '../locks.ts'
import { code, details, html, htmlCode, markdownTable, plain, shortened } from './text.ts'
import { andMore, placeOf, type Amounts } from './amounts.ts'
import { count, formatBytes, formatDuration } from '../units.ts'

/** Which tables that exist are locked, and whom that keeps waiting. Null: nobody looked. */
export function lockSection({ steps }: PlanResult, directory: string, { locks: most }: Amounts): string | null {
  const locks = locksOfRun(steps)
  if (locks.length === 0) {
    const isKnown = steps.length > 0 && steps.every(({ locks }) => locks !== null)
    return isKnown ? 'No table that exists is **locked** against reads, writes or other schema changes.' : null
  }
  const rows = locks
    .slice(0, most)
    .map(({ relation, mode, size, step, line }) => [
      code(relation),
      mode,
      BLOCKED[mode],
      sizeOf(size),
      code(placeOf(directory, step.file, line)),
    ])
  return [
    '**Locks** on what exists, each until the end of its transaction:',
    markdownTable(['Relation', 'Lock', 'Who waits meanwhile', 'Size now', 'Taken first by'], rows),
    ...andMore(locks.length - most, 'relation'),
  ].join('\n\n')
}

/** What is copied before the first statement. */
export function snapshotSection(
  { steps, snapshot, snapshotEstimate }: PlanResult,
  { locks: most, text }: Amounts,
): string | null {
  if (steps.length === 0) return null
  switch (snapshot) {
    case 'none':
      return '**No snapshot** is taken before it.'
    case 'rds':
      return '**Snapshot:** of the storage, by RDS.'
    case 'logical':
      return snapshotEstimate ? estimateText(snapshotEstimate, most, text) : '**Snapshot:** its size could not be told.'
    default:
      return snapshot satisfies never
  }
}

function estimateText(estimate: SnapshotEstimate, most: number, text: number): string {
  const { tables, omittedTables, bytes, seconds, speed, scope, unsure, affected } = estimate
  const which = omittedTables === 0 ? count(tables, 'table') : `${tables} of ${count(tables + omittedTables, 'table')}`
  const basis = speed === 'measured' ? 'as fast as the last one' : 'at a speed that was never measured'
  const line = `of ${scope === 'database' ? 'the database' : `what is ${scope === 'affected' ? 'affected' : 'in the chosen schemas'}`}: ${which}, ${formatBytes(bytes)}, about ${formatDuration(seconds * 1000)} ${basis}.`
  const reason = unsure === null ? '' : ` All of it, because ${plain(shortened(unsure, text))}.`
  if (affected === null || affected.length === 0) return `**Snapshot** ${line}${reason}`
  const rows = affected
    .slice(0, most)
    .map(({ schema, name, why }) => [code(`${schema}.${name}`), plain(shortened(why, text))])
  const table = markdownTable(['Table', 'Why'], rows)
  return details(`<b>Snapshot</b> ${html(line)}`, [table, ...andMore(affected.length - most, 'table')].join('\n\n'))
}

/** What the environment demands, and where each switch of it was set. */
export function policySection({ policy: { environment, policy, sources } }: PlanResult): string | null {
  const isSet = Object.values(sources).some((source) => source !== 'default')
  if (!isSet) return null
  const rows = Object.entries({ environment: environment ?? 'none', ...policy }).map(([name, value]) => [
    code(name),
    code(String(value)),
    sources[name as keyof typeof sources],
  ])
  return details(
    `<b>Policy</b> ${environment === null ? 'without an environment' : htmlCode(environment)}`,
    markdownTable(['Switch', 'Value', 'Set by'], rows),
  )
}
