import type { DriftDetail, DriftDifference, RunDriftResult } from '../../lambda/drift-contract.ts'
import type { Style } from './style.ts'
import { indent } from './table.ts'

/** Beyond this a person reads the JSON. */
const MOST_LINES = 12

/** Every object that differs, and in what. Empty without any. */
export function renderDifferences(differences: readonly DriftDifference[], style: Style): string {
  return differences.map((difference) => renderDifference(difference, style)).join('\n\n')
}

function renderDifference({ kind, identity, change, details }: DriftDifference, style: Style): string {
  const what = identity === '' ? kind : `${kind} ${identity}`
  switch (change) {
    case 'added':
      return `${style.attention('+ only in the database')}  ${what}`
    case 'missing':
      return `${style.bad('- not in the database')}  ${what}`
    case 'changed':
      return [
        `${style.attention('~ changed')}  ${what}`,
        ...details.map((detail) => indent(renderDetail(detail, style), 4)),
      ].join('\n')
    default:
      return change satisfies never
  }
}

function renderDetail({ property, was, is }: DriftDetail, style: Style): string {
  if (was === null) return style.good(`+ ${property}  ${shortened(is ?? '')}`)
  if (is === null) return style.bad(`- ${property}  ${shortened(was)}`)
  if (was.includes('\n') || is.includes('\n')) return [`  ${property}`, ...changedLines(was, is, style)].join('\n')
  return `  ${property}  ${style.bad(was)} → ${style.good(is)}`
}

/** Of long texts only the lines that differ. */
function changedLines(was: string, is: string, style: Style): readonly string[] {
  const [before, after] = [was.split('\n'), is.split('\n')]
  const lost = before.filter((line) => !after.includes(line)).map((line) => style.bad(`    - ${line.trim()}`))
  const won = after.filter((line) => !before.includes(line)).map((line) => style.good(`    + ${line.trim()}`))
  const lines = [...lost, ...won]
  if (lines.length === 0) return ['    the same lines in another order']
  const more = lines.length - MOST_LINES
  return more > 0
    ? [...lines.slice(0, MOST_LINES), style.quiet(`    … and ${more} more lines (--json shows all)`)]
    : lines
}

function shortened(text: string): string {
  const [first = '', ...others] = text.split('\n')
  return others.length === 0 ? first : `${first} …`
}

/** What has changed since the last run. */
export function renderRunDrift(
  { database, runId, recordedAt, unknown, differences }: RunDriftResult,
  style: Style,
): string {
  if (unknown !== null)
    return style.attention(`Whether "${database}" has drifted since the last run cannot be told: ${unknown}.`)
  const since = `the run ${runId} of ${recordedAt}`
  if (differences.length === 0) return style.good(`"${database}" is as ${since} has left it.`)
  return [
    renderDifferences(differences, style),
    style.bad(`"${database}" has drifted: ${objects(differences.length)} not as ${since} has left it.`),
  ].join('\n\n')
}

export function objects(count: number): string {
  return count === 1 ? '1 object is' : `${count} objects are`
}
