import type { ErrorReport } from '../../lambda/contract.ts'
import type { Rehearsal, RehearsedPass } from '../rehearse/rehearsal.ts'
import { holdRows, statementRows, timeRows, type Rows } from './rehearsal-rows.ts'
import { headlineOf, verdictOf } from './rehearsal.ts'
import { formatDuration } from './units.ts'

/** What the rehearsal has shown, for a pull request: the verdict first, statements folded away. */
export function renderRehearsalMarkdown(rehearsal: Rehearsal): string {
  const { passes, comparisons, warnings, notes, problems, ok } = rehearsal
  return [
    `### ${ok ? '✅' : '❌'} ${escaped(verdictOf(rehearsal))}`,
    escaped(headlineOf(rehearsal)),
    ...passes.flatMap((pass) => passBlocks(rehearsal, pass)),
    ...(passes.some(({ migrations }) => migrations.length > 0) ? [markdownTable(timeRows(rehearsal))] : []),
    ...comparisons.map(({ of, between, same, differences }) =>
      same
        ? `- ✅ ${of}, ${between}: the same`
        : `- ❌ ${of}, ${between}: not the same\n\n${fenced(differences.join('\n'), 'diff')}`,
    ),
    ...problems.map(({ code, message, remedy }) => `- ❌ \`${code}\` ${escaped(`${message} ${remedy}`)}`),
    ...[...warnings, ...notes].map((note) => `> ${escaped(note)}`),
  ].join('\n\n')
}

function passBlocks(rehearsal: Rehearsal, pass: RehearsedPass): readonly string[] {
  if (pass.status === 'skipped') return [`**${pass.pass}**: left out. ${escaped(pass.reason ?? '')}`]
  if (pass.pass === 'up again' && pass.status === 'succeeded') return []
  return [
    `**${pass.pass}**: ${pass.status === 'failed' ? 'failed after ' : ''}${formatDuration(pass.durationMs)}`,
    ...(pass.error === null ? [] : [errorText(pass.error)]),
    ...(pass.holds.length === 0 ? [] : ['Others would have waited:', markdownTable(holdRows(rehearsal, pass))]),
    ...(pass.migrations.length === 0 ? [] : [folded('Statements', markdownTable(statementRows(rehearsal, pass)))]),
  ]
}

function errorText({ code, message, state, remedy, excerpt }: ErrorReport): string {
  const text = `\`${code}\` ${escaped(`${message} ${state} ${remedy}`)}`
  return excerpt === undefined ? text : `${text}\n\n${fenced(excerpt, '')}`
}

function folded(title: string, text: string): string {
  return `<details><summary>${title}</summary>\n\n${text}\n\n</details>`
}

function fenced(text: string, language: string): string {
  const fence = '`'.repeat(Math.max(3, ...[...text.matchAll(/`+/g)].map(([run]) => run.length + 1)))
  return `${fence}${language}\n${text}\n${fence}`
}

function markdownTable({ columns, rows, rest }: Rows): string {
  return [
    line(columns.map(({ title }) => title)),
    line(columns.map(({ align }) => (align === 'right' ? '--:' : '--'))),
    ...rows.map((row) => line(row.map(escaped))),
    ...(rest === undefined ? [] : ['', rest]),
  ].join('\n')
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}

/** Nothing of a statement or a name is markup. */
function escaped(text: string): string {
  return text.replaceAll(/[\\`*_{}[\]<>|#]/g, String.raw`\$&`).replaceAll('\n', ' ')
}
