import type { LintResult } from '../lint/result.ts'
import { renderFindings, type Finding } from './findings.ts'
import type { Style } from './style.ts'
import { count } from './units.ts'

/** What was found, for a person. Notices, and what is allowed, are counted unless all is to be shown. */
export function renderLint(
  result: LintResult,
  findings: readonly Finding[],
  { style, all }: { readonly style: Style; readonly all: boolean },
): string {
  const shown = all
    ? findings
    : findings.filter(({ severity, allowed }) => severity !== 'notice' && typeof allowed !== 'string')
  const blocks = [
    ...(shown.length === 0 ? [] : [renderFindings(shown, style)]),
    ...result.notes.map((note) => style.attention(note)),
    summaryOf(result, style, findings.length - shown.length),
  ]
  return blocks.join('\n\n')
}

function summaryOf({ migrations, severe, problems, ok }: LintResult, style: Style, hidden: number): string {
  const looked = `Looked at ${count(migrations.length, 'migration')}`
  const others = count(hidden, 'more is a notice or allowed', 'more are notices or allowed')
  const more = hidden === 0 ? '' : style.quiet(` ${others} (--all shows all).`)
  if (ok) return `${style.good(`${looked}: nothing that production would refuse.`)}${more}`
  const parts = [
    ...(severe === 0 ? [] : [`${count(severe, 'hazard')} that production would refuse`]),
    ...(problems.length === 0 ? [] : [`${count(problems.length, 'allow')} without a hazard`]),
  ]
  return `${style.bad(`${looked}: ${parts.join(', ')}.`)}${more}`
}
