import type { HistoryEntry, HistoryResult, StatusResult } from '../../lambda/contract.ts'
import { fileIdOf } from '../../lambda/engine/migration/repeatable.ts'
import { renderProblems } from './error.ts'
import type { Style } from './style.ts'
import { renderFacts, renderTable } from './table.ts'
import { count, formatDuration, formatTime } from './units.ts'

/** Where the database stands, and every migration with its state. */
export function renderStatus(status: StatusResult, history: HistoryResult, style: Style): string {
  const blocks = [renderFacts(factsOf(status, style), style)]
  const rows = rowsOf(status, history.migrations, style)
  if (rows.length > 0) blocks.push(renderTable(COLUMNS, rows, style))
  if (status.problems.length > 0) blocks.push(renderProblems(status.problems, style))
  return blocks.join('\n\n')
}

const COLUMNS = [
  { title: 'MIGRATION' },
  { title: 'STATE' },
  { title: 'APPLIED (UTC)' },
  { title: 'TIME', align: 'right' },
] as const

function factsOf(status: StatusResult, style: Style): readonly (readonly [string, string])[] {
  const head = status.heads.length > 1 ? status.heads.join(', ') : (status.head ?? style.quiet('none'))
  return [
    ['Database', `${status.database}${status.set === 'default' ? '' : `, set ${status.set}`}`],
    ['Current', status.current ?? style.quiet('none')],
    [status.heads.length > 1 ? 'Heads' : 'Head', head],
    ['State', stateOf(status, style)],
    ...unfinishedRun(status, style),
  ]
}

function stateOf(status: StatusResult, style: Style): string {
  const parts = [
    ...(status.pending.length > 0 ? [style.attention(`${status.pending.length} pending`)] : []),
    ...(status.repeatables.length > 0 ? [style.attention(`${status.repeatables.length} changed`)] : []),
    ...(status.ahead.length > 0 ? [style.attention(`${status.ahead.length} ahead of the files`)] : []),
    ...(status.problems.length > 0 ? [style.bad(count(status.problems.length, 'problem'))] : []),
  ]
  const applied = `${status.applied} applied`
  return parts.length === 0 ? `${style.good('up to date')}, ${applied}` : [...parts, applied].join(', ')
}

function unfinishedRun(status: StatusResult, style: Style): readonly (readonly [string, string])[] {
  const run = status.lastRun
  if (run === null || run.status === 'succeeded') return []
  const reason = run.error === null ? '' : `: ${run.error.code}`
  const state = run.status === 'running' ? style.attention(run.status) : style.bad(run.status)
  return [['Last run', `${state} ${formatTime(run.startedAt)} UTC, ${run.action} by ${run.trigger}${reason}`]]
}

function rowsOf(status: StatusResult, entries: readonly HistoryEntry[], style: Style): readonly (readonly string[])[] {
  const ahead = new Set(status.ahead)
  const changed = new Set(status.repeatables)
  return [
    ...inForce(entries).map((entry) => [
      entry.id,
      stateOfEntry(entry, { ahead, changed }, style),
      formatTime(entry.appliedAt),
      formatDuration(entry.durationMs),
    ]),
    ...status.pending.map((id) => [id, style.attention('pending')]),
    ...status.repeatables
      .filter((id) => !entries.some((entry) => fileIdOf(entry) === id))
      .map((id) => [id, style.attention('pending')]),
  ]
}

/** Of a repeatable only the text that is in force. */
function inForce(entries: readonly HistoryEntry[]): readonly HistoryEntry[] {
  return entries.filter(
    (entry) =>
      entry.kind !== 'repeatable' || entries.findLast((other) => fileIdOf(other) === fileIdOf(entry)) === entry,
  )
}

function stateOfEntry(
  entry: HistoryEntry,
  { ahead, changed }: { readonly ahead: ReadonlySet<string>; readonly changed: ReadonlySet<string> },
  style: Style,
): string {
  if (ahead.has(entry.id)) return style.attention('ahead')
  return changed.has(fileIdOf(entry)) ? style.attention('changed') : style.good('applied')
}
