import { isSevere, kindOf } from '../../../lambda/engine/hazards/hazard.ts'
import type { PlanHazard, PlanResult, PlanStep } from '../../../lambda/plan-contract.ts'
import { code, codeBlock, details, html, htmlCode, plain, shortened } from './text.ts'
import { andMore, placeOf, type Amounts } from './amounts.ts'
import { count } from '../units.ts'

interface Placed {
  readonly step: PlanStep
  readonly hazard: PlanHazard
}

const ORDER = ['critical', 'error', 'warning', 'notice'] as const

/**
 * What nobody has accepted, the severest first, each with the safe way folded away; what the files accept as a list.
 * Notices, of which nothing need be done, are counted.
 */
export function hazardSection({ steps, action }: PlanResult, directory: string, amounts: Amounts): string | null {
  if (action === 'down' || steps.length === 0) return null
  const all = steps
    .flatMap((step) => (step.hazards ?? []).map((hazard): Placed => ({ step, hazard })))
    .toSorted((a, b) => ORDER.indexOf(a.hazard.severity) - ORDER.indexOf(b.hazard.severity))
  const open = all.filter(({ hazard }) => hazard.allowed === null && hazard.severity !== 'notice')
  const accepted = all.filter(({ hazard }) => hazard.allowed !== null)
  const unknown = steps.filter(({ hazards, kind }) => hazards === null && kind !== 'repeatable')
  const parts = [
    ...titleOf(open, unknown.length === 0),
    ...open.slice(0, amounts.hazards).map((each) => openText(each, directory, amounts)),
    ...andMore(open.length - amounts.hazards, 'hazard'),
    ...(accepted.length === 0 ? [] : [acceptedText(accepted, directory, amounts)]),
    ...noticeText(all.length - open.length - accepted.length),
    ...(unknown.length === 0 ? [] : [unknownText(unknown, amounts)]),
  ]
  return parts.length === 0 ? null : parts.join('\n\n')
}

function titleOf(open: readonly Placed[], isWhole: boolean): readonly string[] {
  if (open.length === 0) return isWhole ? ['**No hazards** that nobody has accepted.'] : []
  const severe = open.filter(({ hazard }) => isSevere(hazard)).length
  const refused = severe === 0 ? 'none of which production refuses' : `${severe} of which production refuses`
  return [`**${count(open.length, 'hazard')}**, ${refused}:`]
}

function noticeText(notices: number): readonly string[] {
  return notices === 0 ? [] : [`${count(notices, 'notice')} beside: ${code('lockstep lint --all')} shows them.`]
}

function openText({ step, hazard }: Placed, directory: string, { text }: Amounts): string {
  const kind = kindOf(hazard.id)
  const place = htmlCode(placeOf(directory, step.file, hazard.line))
  const title = html(kind?.title ?? shortened(hazard.detail, text))
  const summary = `<b>${hazard.severity}</b> ${htmlCode(hazard.id)} ${place}: ${title}`
  const body = [
    `${plain(shortened(hazard.detail, text))}.`,
    ...(kind === null ? [] : [`**Blocks:** ${plain(kind.blocks)}`, `**Safely:** ${plain(kind.safely)}`]),
    ...(hazard.safe === null || hazard.safe.length > MOST_SAFE ? [] : [codeBlock(hazard.safe, 'sql')]),
    `Or accept it at the top of the file: ${code(`-- lockstep:allow ${hazard.id} <reason>`)}`,
  ]
  return details(summary, body.join('\n\n'))
}

/** Characters: a safe way that is longer is not read in a comment. */
const MOST_SAFE = 2000

function acceptedText(accepted: readonly Placed[], directory: string, { hazards, text }: Amounts): string {
  const lines = accepted.slice(0, hazards).map(({ step, hazard }) => {
    const why = plain(shortened(hazard.allowed ?? '', text))
    const what = plain(shortened(hazard.detail, text))
    return `- ${code(hazard.id)} ${code(placeOf(directory, step.file, hazard.line))}: ${what}. Accepted: ${why}`
  })
  const body = [lines.join('\n'), ...andMore(accepted.length - hazards, 'hazard')].join('\n\n')
  return details(`${count(accepted.length, 'hazard')} that the files accept`, body)
}

function unknownText(unknown: readonly PlanStep[], { hazards }: Amounts): string {
  const named = unknown.slice(0, hazards).map(({ id }) => code(id))
  const more = unknown.length > hazards ? ` and ${unknown.length - hazards} more` : ''
  return `Nobody has looked for hazards in ${named.join(', ')}${more}: ${code('lockstep lint --write')} does.`
}
