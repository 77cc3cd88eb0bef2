import { VERDICTS, type Verdict } from '../../lambda/analysis-contract.ts'
import type { ProveResult } from '../commands/run-prove.ts'
import type { Proof } from '../prove/proof.ts'
import { renderError } from './error.ts'
import type { Style } from './style.ts'
import { indent, wrap } from './table.ts'
import { formatDuration } from './units.ts'

const WIDTH = 100
/** Beyond this a person reads the JSON. */
const MOST_DIFFERENCES = 20

const MARKS: { readonly [V in Verdict]: string } = { proven: '✓', lossy: '!', broken: '✗', irreversible: '·' }

/** What up, down and up again have shown, worst last, where it is read first. */
export function renderProofs(
  result: ProveResult,
  style: Style,
  { all, seedFile }: { readonly all: boolean; readonly seedFile: string },
): string {
  const { migrations, seed, error } = result
  const shown = (['proven', 'irreversible', 'lossy', 'broken'] as const)
    .filter((verdict) => all || verdict === 'lossy' || verdict === 'broken')
    .flatMap((verdict) => migrations.filter((proof) => proof.verdict === verdict))
  return [
    ...shown.map((proof) => renderProof(proof, style)),
    ...seed.map(({ line, message }) => style.bad(`✗ ${seedFile}:${line} was never put in: ${message}`)),
    ...(error === undefined ? [] : [renderError(error, style)]),
    summary(result, style),
  ].join('\n\n')
}

function renderProof({ id, verdict, detail, differences }: Proof, style: Style): string {
  const title = `${MARKS[verdict]} ${verdict}`
  const lines = [
    `${colourOf(verdict, style)(title)}  ${id}`,
    indent(wrap(detail, WIDTH - 2)),
    ...differences.slice(0, MOST_DIFFERENCES).map((line) => indent(colourDifference(line, style), 4)),
  ]
  const more = differences.length - MOST_DIFFERENCES
  return [...lines, ...(more > 0 ? [indent(style.quiet(`… and ${more} more (--json shows all)`), 4)] : [])].join('\n')
}

function colourOf(verdict: Verdict, style: Style): (text: string) => string {
  if (verdict === 'broken') return style.bad
  if (verdict === 'lossy') return style.attention
  return verdict === 'proven' ? style.good : style.quiet
}

function colourDifference(line: string, style: Style): string {
  return line.startsWith('-') ? style.bad(line) : style.good(line)
}

function summary({ migrations, postgres, roles, durationMs }: ProveResult, style: Style): string {
  const counts = VERDICTS.map((verdict) => ({
    verdict,
    count: migrations.filter((proof) => proof.verdict === verdict).length,
  }))
  const told = counts
    .filter(({ verdict, count }) => count > 0 || verdict === 'proven')
    .map(({ verdict, count }) => colourOf(verdict, style)(`${count} ${verdict}`))
  const lines = [`${told.join(', ')} (PostgreSQL ${postgres}, ${formatDuration(durationMs)})`]
  if (roles.length > 0)
    lines.push(style.quiet(`Made for the trial, because the migrations name them: ${roles.join(', ')}`))
  return lines.join('\n')
}
