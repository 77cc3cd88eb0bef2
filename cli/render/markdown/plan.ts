import type { PlanResult, PlanStep } from '../../../lambda/plan-contract.ts'
import { alert, code, codeBlock, details, htmlCode, markdownTable, plain, shortened } from './text.ts'
import { andMore, type Amounts } from './amounts.ts'
import { hazardSection } from './hazards.ts'
import { lockSection, policySection, snapshotSection } from './sections.ts'
import { count } from '../units.ts'

/** How a plan is shown. */
export interface MarkdownView {
  /** Of the migration files, as the repository knows it. */
  readonly directory: string
  /** The most that the text may be long. Characters. @default what a comment on GitHub may be, and a bit of room */
  readonly limit?: number
}

/** GitHub refuses a comment of more than 65,536 characters; somebody may put a line above this one. */
const LIMIT = 65_000

const AMOUNTS: readonly Amounts[] = [
  { steps: 300, problems: 50, hazards: 50, locks: 100, text: 1000 },
  { steps: 100, problems: 20, hazards: 20, locks: 30, text: 500 },
  { steps: 25, problems: 5, hazards: 5, locks: 10, text: 200 },
]

/** A plan as a comment on a pull request. What does not fit is left out and said so: the SQL first. */
export function renderPlanMarkdown(plan: PlanResult, { directory, limit = LIMIT }: MarkdownView): string {
  const bodies = AMOUNTS.map((amounts) => bodyOf(plan, directory, amounts))
  const body = bodies.find((text) => text.length <= limit - SQL_NOTE_LENGTH) ?? bodies.at(-1) ?? ''
  return [body, ...sqlSections(plan, limit - body.length)].join('\n\n')
}

function bodyOf(plan: PlanResult, directory: string, amounts: Amounts): string {
  const parts = [
    `${marker(plan)}\n### ${headline(plan)}`,
    summaryOf(plan),
    problemsOf(plan, amounts),
    warningsOf(plan, amounts),
    stepsOf(plan, amounts),
    hazardSection(plan, directory, amounts),
    lockSection(plan, directory, amounts),
    snapshotSection(plan, amounts),
    policySection(plan),
  ]
  return parts.filter((part) => part !== null).join('\n\n')
}

/** By which a later run finds the comment again, to write it anew. */
function marker({ database, set }: PlanResult): string {
  // No comment of HTML may hold two hyphens.
  const [on, of] = [database, set].map((name) => encodeURIComponent(name).replaceAll('--', '-%2D'))
  return `<!-- lockstep plan ${on} ${of} -->`
}

function headline({ database, steps, action, problems }: PlanResult): string {
  const on = code(database)
  const work = `${action === 'up' ? 'apply' : 'revert'} ${count(steps.length, 'migration')} on ${on}`
  if (problems.length > 0)
    return steps.length === 0 ? `A run of Lockstep on ${on} would be refused` : `Lockstep would refuse to ${work}`
  return steps.length === 0 ? `Lockstep has nothing to do on ${on}` : `Lockstep would ${work}`
}

function summaryOf(plan: PlanResult): string | null {
  const { steps, current, target, set, action, hash, snapshot, problems } = plan
  if (steps.length === 0) return null
  const segments = new Map(steps.map((step) => [step.segment, step.transactional]))
  const inside = [...segments.values()].filter((transactional) => transactional).length
  const outside = segments.size - inside
  const parts = [
    ...(inside === 0 ? [] : [`in ${count(inside, 'transaction')}`]),
    ...(outside === 0 ? [] : [`${outside} outside of any`]),
  ].join(' and ')
  const from = `${current === null ? 'From the beginning' : `From ${code(current)}`} to ${target === null ? 'the beginning' : code(target)}`
  const where = set === 'default' ? '' : `, set ${code(set)}`
  const after = snapshot === 'none' ? 'without a snapshot' : 'after a snapshot'
  const exactly =
    problems.length > 0 ? '' : `: ${code(`lockstep ${action} --plan ${hash}`)} does exactly this, or nothing`
  return `${from}${where}: ${parts}, ${after}.\nPlan ${code(hash)}${exactly}.`
}

function problemsOf({ problems }: PlanResult, { problems: most, text }: Amounts): string | null {
  if (problems.length === 0) return null
  const shown = problems.slice(0, most).map(({ code: name, migration, message, remedy }) => {
    const about = migration === null ? '' : ` ${code(migration)}`
    return `**${code(name)}**${about}: ${plain(shortened(message, text))}\n*${plain(shortened(remedy, text))}*`
  })
  return alert('CAUTION', [...shown, ...andMore(problems.length - most, 'problem')])
}

function warningsOf({ warnings }: PlanResult, { problems: most, text }: Amounts): string | null {
  if (warnings.length === 0) return null
  const shown = warnings.slice(0, most).map((warning) => plain(shortened(warning, text)))
  return alert('WARNING', [...shown, ...andMore(warnings.length - most, 'warning')])
}

function stepsOf({ steps, action }: PlanResult, { steps: most, text }: Amounts): string | null {
  if (steps.length === 0) return null
  const isUp = action === 'up'
  const titles = ['#', 'Migration', 'Runs', 'Proof', ...(isUp ? ['Undoing it'] : ['It loses'])]
  const transactions = [...new Set(steps.filter((step) => step.transactional).map((step) => step.segment))]
  const rows = steps.slice(0, most).map((step, index) => {
    const { proof } = step
    const lost = proof?.verdict === 'lossy' ? plain(shortened(proof.detail, text)) : ''
    const runs = runsIn(step, transactions.indexOf(step.segment) + 1)
    return [String(index + 1), code(step.id), runs, proof?.verdict ?? 'not tried', isUp ? undoing(step, text) : lost]
  })
  return [markdownTable(titles, rows, ['r']), ...andMore(steps.length - most, 'migration')].join('\n\n')
}

function runsIn({ kind, statements, transactional }: PlanStep, transaction: number): string {
  const what = kind === 'ts' ? 'code' : count(statements, 'statement')
  return transactional ? `${what}, transaction ${transaction}` : `${what}, **outside of a transaction**`
}

function undoing({ revert }: PlanStep, text: number): string {
  const { kind = 'untried', detail = '' } = revert ?? {}
  const why = detail === '' ? '' : `: ${plain(shortened(detail, text))}`
  switch (kind) {
    case 'proven':
      return 'restores schema and rows'
    case 'lossy':
      return `**lossy**${why}`
    case 'broken':
      return `**broken**${why}`
    case 'untried':
      return `has a down, not tried${why}`
    case 'irreversible':
      return `**cannot be undone**${why}`
    case 'none':
      return `**has no down**${why}`
    default:
      return kind satisfies never
  }
}

const SQL_NOTE_LENGTH = 200

/** As many as there is room for, in order. */
function sqlSections({ steps }: PlanResult, room: number): readonly string[] {
  const sections: string[] = []
  let left = room - SQL_NOTE_LENGTH
  let omitted = 0
  for (const step of steps) {
    if (step.sql === undefined) continue
    const section = details(`SQL of ${htmlCode(step.id)}`, codeBlock(step.sql, step.kind === 'ts' ? '' : 'sql'))
    if (section.length + 2 <= left) {
      sections.push(section)
      left -= section.length + 2
    } else omitted += 1
  }
  if (omitted === 0) return sections
  return [
    ...sections,
    `The SQL of ${count(omitted, 'migration')} is left out: there is no room for it. ${code('lockstep plan --sql')} prints all of it.`,
  ]
}
