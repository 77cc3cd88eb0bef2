import type { MigrationTiming, RunResult } from '../../lambda/contract.ts'
import { renderError, type ErrorView } from './error.ts'
import type { Style } from './style.ts'
import { renderFacts, renderTable } from './table.ts'
import { count, formatDuration } from './units.ts'

export interface RunView extends ErrorView {
  /** False where the progress of each migration has just been shown. @default true */
  readonly timings?: boolean
}

/** What a run did: one line, a table of migrations, and where the database stands now. */
export function renderRun(run: RunResult, style: Style, view: RunView = {}): string {
  const blocks = [headline(run, style)]
  if (run.error !== undefined) blocks.push(renderError(run.error, style, view))
  const hasTimings = run.status === 'succeeded' && run.migrations.length > 0
  if (hasTimings && view.timings !== false) blocks.push(renderTimings(run.migrations, style))
  if (run.warnings.length > 0) blocks.push(run.warnings.map((text) => `${style.attention('!')} ${text}`).join('\n'))
  if (run.runId !== null) blocks.push(renderFacts(factsOf(run), style))
  return blocks.join('\n\n')
}

function headline(run: RunResult, style: Style): string {
  const where = `"${run.database}"`
  const took = formatDuration(run.durationMs)
  if (run.status === 'failed') return failure(run, style)
  const changed = run.action === 'up' ? run.applied.length : run.reverted.length
  if (changed === 0) return style.good(`Nothing to do: ${where} is at ${run.current ?? 'base'}.`)
  const verb = run.action === 'up' ? 'Applied' : 'Reverted'
  return style.good(`${verb} ${count(changed, 'migration')} on ${where} in ${took}.`)
}

function failure(run: RunResult, style: Style): string {
  const name = run.action === 'up' ? 'The migration' : 'The revert'
  const after = `failed after ${formatDuration(run.durationMs)}`
  if (run.rolledBack === true) {
    return `${style.bad(`${name} of "${run.database}" ${after}.`)} ${style.good('Rolled back: the database is as it was before.')}`
  }
  return style.bad(`${name} of "${run.database}" ${after}.`)
}

/** Every migration of the run with its time. */
export function renderTimings(timings: readonly MigrationTiming[], style: Style): string {
  return renderTable(
    [
      { title: 'MIGRATION' },
      { title: 'DONE' },
      { title: 'STATEMENTS', align: 'right' },
      { title: 'TIME', align: 'right' },
    ],
    timings.map((timing) => [
      timing.id,
      timing.direction === 'up' ? style.good('applied') : style.attention('reverted'),
      String(timing.statements),
      formatDuration(timing.durationMs),
    ]),
    style,
  )
}

function factsOf(run: RunResult): readonly (readonly [string, string])[] {
  return [
    ['Current', run.current ?? 'none'],
    ...(run.snapshot === null ? [] : [['Snapshot', run.snapshot] as const]),
    ...(run.runId === null ? [] : [['Run', run.runId] as const]),
    ...(run.status === 'failed' && run.applied.length > 0 ? [['Still applied', run.applied.join(', ')] as const] : []),
  ]
}
