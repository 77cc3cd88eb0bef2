import type { Comparison, Rehearsal, RehearsedPass } from '../rehearse/rehearsal.ts'
import { renderError, renderProblems, type ErrorView } from './error.ts'
import { holdRows, statementRows, timeRows, type Rows } from './rehearsal-rows.ts'
import type { Style } from './style.ts'
import { indent, renderTable, wrap } from './table.ts'
import { count, formatDuration, formatTime } from './units.ts'

const WIDTH = 100
/** Beyond this a person reads the JSON. */
const MOST_DIFFERENCES = 20

/** What the rehearsal has shown, for a person: the verdict last, where it is read first. */
export function renderRehearsal(rehearsal: Rehearsal, style: Style, view: ErrorView = {}): string {
  const { passes, comparisons, notes, warnings, problems } = rehearsal
  const table = ({ columns, rows }: Rows): string => renderTable(columns, rows, style)
  return [
    style.heading(headlineOf(rehearsal)),
    ...passes.map((pass) => renderPass(rehearsal, pass, style, view)),
    ...(passes.some(({ migrations }) => migrations.length > 0) ? [table(timeRows(rehearsal))] : []),
    ...(comparisons.length === 0 ? [] : [comparisons.map((each) => renderComparison(each, style)).join('\n')]),
    ...(problems.length === 0
      ? []
      : [
          `${style.attention('The environment refuses this run as it is:')}\n\n${renderProblems(problems, style, view)}`,
        ]),
    ...[...warnings, ...notes].map((note) => style.attention(`! ${wrap(note, WIDTH - 2).replaceAll('\n', '\n  ')}`)),
    summaryOf(rehearsal, style),
  ].join('\n\n')
}

/** Where what comes from. */
export function headlineOf({ source, scratch, pending }: Rehearsal): string {
  const of =
    source.kind === 'structure' ? `the structure of "${source.database}"` : `a snapshot of "${source.database}"`
  const place =
    scratch === null
      ? ''
      : `, on ${scratch.kind === 'embedded' ? 'an embedded' : 'the given'} PostgreSQL ${scratch.major}${scratch.kept ? `, kept as "${scratch.database}"` : ''}`
  return `${count(pending.length, 'migration')} on ${of} (PostgreSQL ${source.serverVersion}, ${formatTime(source.at)} UTC)${place}`
}

/** The statements of the second up are those of the first. */
function renderPass(rehearsal: Rehearsal, pass: RehearsedPass, style: Style, view: ErrorView): string {
  const table = ({ columns, rows, rest }: Rows): string =>
    indent([renderTable(columns, rows, style), ...(rest === undefined ? [] : [style.quiet(rest)])].join('\n'))
  const isNew = pass.pass !== 'up again' || pass.status === 'failed'
  return [
    titleOf(pass, style),
    ...(isNew && pass.migrations.length > 0 ? [table(statementRows(rehearsal, pass))] : []),
    ...(isNew && pass.holds.length > 0 ? [indent(`Others would have waited:`), table(holdRows(rehearsal, pass))] : []),
    ...(pass.error === null ? [] : [indent(renderError(pass.error, style, view))]),
  ].join('\n\n')
}

function titleOf({ pass, status, durationMs, reason }: RehearsedPass, style: Style): string {
  const name = style.heading(pass)
  switch (status) {
    case 'succeeded':
      return `${style.good('✓')} ${name}: ${formatDuration(durationMs)}`
    case 'failed':
      return `${style.bad('✗')} ${name}: failed${durationMs === 0 ? '' : ` after ${formatDuration(durationMs)}`}`
    case 'skipped':
      return `${style.quiet('·')} ${name}: left out. ${reason ?? ''}`
    default:
      return status satisfies never
  }
}

function renderComparison({ of, between, same, differences }: Comparison, style: Style): string {
  if (same) return `${style.good('✓')} ${of}, ${between}: the same`
  const shown = differences
    .slice(0, MOST_DIFFERENCES)
    .map((line) => indent(line.startsWith('-') ? style.bad(line) : style.good(line), 4))
  const more = differences.length - MOST_DIFFERENCES
  return [
    `${style.bad('✗')} ${of}, ${between}: not the same`,
    ...shown,
    ...(more > 0 ? [indent(style.quiet(`… and ${more} more (--json shows all)`), 4)] : []),
  ].join('\n')
}

function summaryOf(rehearsal: Rehearsal, style: Style): string {
  const text = verdictOf(rehearsal)
  return rehearsal.ok ? style.good(text) : style.bad(text)
}

/** One sentence. */
export function verdictOf({ ok, pending, passes, comparisons, problems, durationMs }: Rehearsal): string {
  const took = `(${formatDuration(durationMs)} in all)`
  if (pending.length === 0) return ok ? 'Nothing is pending.' : `Nothing can be run: ${problems[0]?.message ?? ''}`
  if (ok)
    return `Rehearsed: ${passes
      .filter(({ status }) => status === 'succeeded')
      .map(({ pass }) => pass)
      .join(', ')}. ${took}`
  const failed = passes.find(({ status }) => status === 'failed')
  if (failed !== undefined) return `The ${failed.pass} fails. ${took}`
  const differing = comparisons.find(({ same }) => !same)
  return `The ${differing?.of ?? ''} ${differing?.of === 'schema' ? 'is' : 'are'} not the same ${differing?.between ?? ''}. ${took}`
}
