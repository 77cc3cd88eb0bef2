import type { HistoryResult, RunSummary } from '../../lambda/contract.ts'
import type { Style } from './style.ts'
import { renderTable } from './table.ts'
import { formatDuration, formatTime } from './units.ts'

/** What is applied, and the runs that changed the database or tried to. */
export function renderHistory(history: HistoryResult, style: Style): string {
  if (history.migrations.length === 0 && history.runs.length === 0) {
    return `Nothing has been applied to "${history.database}".`
  }
  return [
    ...(history.migrations.length > 0 ? [renderMigrations(history, style)] : []),
    ...(history.runs.length > 0 ? [renderRuns(history.runs, style)] : []),
  ].join('\n\n')
}

function renderMigrations(history: HistoryResult, style: Style): string {
  return renderTable(
    [
      { title: '#', align: 'right' },
      { title: 'MIGRATION' },
      { title: 'KIND' },
      { title: 'APPLIED (UTC)' },
      { title: 'TIME', align: 'right' },
      { title: 'BY' },
      { title: 'RUN' },
    ],
    history.migrations.map((entry) => [
      String(entry.position),
      entry.id,
      entry.kind,
      formatTime(entry.appliedAt),
      formatDuration(entry.durationMs),
      entry.appliedBy,
      style.quiet(shortRun(entry.runId)),
    ]),
    style,
  )
}

function renderRuns(runs: readonly RunSummary[], style: Style): string {
  return renderTable(
    [
      { title: 'RUN' },
      { title: 'ACTION' },
      { title: 'BY' },
      { title: 'STARTED (UTC)' },
      { title: 'TOOK', align: 'right' },
      { title: 'STATUS' },
    ],
    runs.map((run) => [
      style.quiet(shortRun(run.runId)),
      run.action,
      run.trigger,
      formatTime(run.startedAt),
      run.finishedAt === null ? '' : formatDuration(Date.parse(run.finishedAt) - Date.parse(run.startedAt)),
      `${run.status === 'succeeded' ? style.good(run.status) : style.bad(run.status)}${run.error === null ? '' : ` (${run.error.code})`}`,
    ]),
    style,
  )
}

/** Enough of a UUID to tell one run from another; the end, because the beginning of some kinds is the time. */
function shortRun(runId: string): string {
  return runId.slice(-8)
}
