import { join } from 'node:path'
import type { ErrorReport, PlanProblem } from '../../lambda/contract.ts'
import type { Style } from './style.ts'
import { indent, wrap } from './table.ts'

/** How an error is shown. */
export interface ErrorView {
  /** Columns to wrap at. @default 100 */
  readonly width?: number
  /** Directory of the migration files, put before a file's name so that a terminal can open it. @default none */
  readonly directory?: string
}

const WIDTH = 100

/** What happened, where, in what state the database is, and what to do: for somebody who was asleep a minute ago. */
export function renderError(report: ErrorReport, style: Style, { width = WIDTH, directory }: ErrorView = {}): string {
  const blocks = [
    `${style.bad(`✗ ${report.code}`)}${report.migration === undefined ? '' : `  ${report.migration}`}`,
    indent(wrap(report.message, width - 2)),
    ...placeOf(report, style, directory),
    indent([field('State', report.state, style, width), field('Remedy', report.remedy, style, width)].join('\n')),
  ]
  return blocks.join('\n\n')
}

/** The findings that keep a run from starting. */
export function renderProblems(
  problems: readonly PlanProblem[],
  style: Style,
  { width = WIDTH }: ErrorView = {},
): string {
  return problems
    .map((problem) =>
      [
        `${style.bad(`✗ ${problem.code}`)}${problem.migration === null ? '' : `  ${problem.migration}`}`,
        indent(wrap(problem.message, width - 2)),
        indent(field('Remedy', problem.remedy, style, width)),
      ].join('\n'),
    )
    .join('\n\n')
}

function placeOf(report: ErrorReport, style: Style, directory: string | undefined): readonly string[] {
  const { file, line, column, excerpt, sqlState, message } = report
  if (file === undefined && excerpt === undefined) return []
  const path = file === undefined || directory === undefined ? file : join(directory, file)
  const place = [path ?? report.migration, line, column].filter((part) => part !== undefined).join(':')
  const state = sqlState === undefined || message.includes(sqlState) ? '' : `, SQLSTATE ${sqlState}`
  const lines = [style.quiet(`at ${place}${state}`)]
  if (excerpt !== undefined) lines.push(indent(colourCaret(excerpt, style)))
  return [indent(lines.join('\n'))]
}

function colourCaret(excerpt: string, style: Style): string {
  return excerpt.replaceAll(/\^+\s*$/gm, (caret) => style.bad(caret))
}

const LABEL_WIDTH = 8

/** A label, and its text wrapped beside it. */
function field(label: string, text: string, style: Style, width: number): string {
  const lines = wrap(text, width - LABEL_WIDTH - 2).split('\n')
  const [first = '', ...rest] = lines
  return [
    `${style.attention(label.padEnd(LABEL_WIDTH))}${first}`,
    ...rest.map((line) => indent(line, LABEL_WIDTH)),
  ].join('\n')
}
