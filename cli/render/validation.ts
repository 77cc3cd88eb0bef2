import { join } from 'node:path'
import type { ValidateResult } from '../commands/run-validate.ts'
import type { ValidationProblem } from '../validate/problem.ts'
import { renderFindings, type Finding } from './findings.ts'
import type { Style } from './style.ts'

/** A problem as something to say of a place in a file; what is about no file is about the directory. */
export function findingOf(problem: ValidationProblem, directory: string): Finding {
  const { code, severity, file, line = null, column, message, remedy, excerpt } = problem
  return {
    rule: code,
    severity,
    path: file === null ? directory : join(directory, file),
    line,
    ...(column === undefined ? {} : { column }),
    message,
    ...(excerpt === undefined ? {} : { excerpt }),
    notes: [['Remedy', remedy]],
  }
}

/** What was found, and how much was looked at. */
export function renderValidation(result: ValidateResult, findings: readonly Finding[], style: Style): string {
  const parts = findings.length === 0 ? [] : [renderFindings(findings, style)]
  return [...parts, summary(result, style)].join('\n\n')
}

function summary({ migrations, replayed, problems, consequences }: ValidateResult, style: Style): string {
  const errors = problems.filter(({ severity }) => severity === 'error').length
  const warnings = problems.length - errors
  const found = [
    ...(errors > 0 ? [style.bad(count(errors, 'error'))] : []),
    ...(warnings > 0 ? [style.attention(count(warnings, 'warning'))] : []),
  ]
  const ran = replayed === null ? 'not tried on a server' : `${replayed} ran on an empty server`
  const more =
    consequences === 0 ? '' : `; ${count(consequences, 'more migration')} failed there only because an earlier one had`
  const verdict = found.length === 0 ? style.good('nothing wrong') : found.join(', ')
  return `${count(migrations, 'migration')}: ${verdict} (${ran}${more})`
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
