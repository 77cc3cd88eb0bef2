import type { PlanResult, PlanStep } from '../../lambda/plan-contract.ts'
import { isSevere } from '../../lambda/engine/hazards/hazard.ts'
import type { SnapshotEstimate } from '../../lambda/snapshot-contract.ts'
import { renderProblems } from './error.ts'
import { BLOCKED, locksOfRun, sizeOf } from './locks.ts'
import type { Style } from './style.ts'
import { renderFacts, renderTable } from './table.ts'
import { count, formatBytes, formatDuration } from './units.ts'

/** The steps that a run would take, which of them share a transaction, and what the environment says of them. */
export function renderPlan(plan: PlanResult, style: Style): string {
  const blocks = [[summaryOf(plan, style), ...hashLine(plan, style)].join('\n')]
  if (plan.snapshotEstimate) blocks.push(renderEstimate(plan.snapshotEstimate, style))
  if (plan.steps.length > 0) blocks.push(renderSteps(plan, style))
  for (const block of [renderReverts(plan, style), renderLocks(plan, style)]) if (block !== null) blocks.push(block)
  if (isSet(plan)) blocks.push(renderPolicy(plan, style))
  if (plan.warnings.length > 0) blocks.push(plan.warnings.map((text) => style.attention(`! ${text}`)).join('\n'))
  if (plan.problems.length > 0) blocks.push(renderProblems(plan.problems, style))
  return blocks.join('\n\n')
}

/** How to do exactly this later. */
function hashLine({ steps, action, hash }: PlanResult, style: Style): readonly string[] {
  return steps.length === 0 ? [] : [style.quiet(`Exactly this, or nothing: ${action} --plan ${hash}`)]
}

/** What the snapshot would hold, and with which reasons. */
function renderEstimate(estimate: SnapshotEstimate, style: Style): string {
  const { tables, omittedTables, bytes, seconds, speed, scope, unsure, affected } = estimate
  const which = omittedTables === 0 ? count(tables, 'table') : `${tables} of ${count(tables + omittedTables, 'table')}`
  const basis = speed === 'measured' ? 'as fast as the last one' : 'at a speed that was never measured'
  const facts: (readonly [string, string])[] = [
    ['Snapshot', `${scope}: ${which}, ${formatBytes(bytes)} on disk, about ${formatDuration(seconds * 1000)} ${basis}`],
  ]
  if (unsure !== null) facts.push(['', `all of it, because ${unsure}`])
  for (const { schema, name, why } of affected ?? []) facts.push(['', `${schema}.${name}: ${why}`])
  return renderFacts(facts, style)
}

const COLUMNS = [
  { title: '#', align: 'right' },
  { title: 'MIGRATION' },
  { title: 'KIND' },
  { title: 'STATEMENTS', align: 'right' },
  { title: 'TRANSACTION' },
] as const

/** What was found of the migrations is shown where somebody looked; what undoing them would be, always. */
function renderSteps({ steps, action }: PlanResult, style: Style): string {
  const isLookedAt = steps.some(({ hazards }) => hazards !== null)
  const columns = [
    ...COLUMNS,
    ...(action === 'up' ? [{ title: 'REVERT' }] : []),
    ...(isLookedAt ? [{ title: 'HAZARDS' }] : []),
  ]
  const rows = steps.map((step, index) => [
    ...rowOf(step, index),
    ...(step.revert === null ? [] : [step.revert.kind]),
    ...(isLookedAt ? [hazardsOf(step)] : []),
  ])
  return renderTable(columns, rows, style)
}

function rowOf(step: PlanStep, index: number): readonly string[] {
  return [
    String(index + 1),
    step.id,
    step.kind,
    step.kind === 'ts' ? '' : String(step.statements),
    step.transactional ? String(step.segment) : 'none',
  ]
}

function hazardsOf({ hazards }: PlanStep): string {
  if (hazards === null) return 'not looked at'
  const severe = hazards.filter((hazard) => hazard.allowed === null && isSevere(hazard))
  return [...new Set(severe.map(({ id }) => id))].join(', ')
}

/** What undoing them would lose, or why it cannot be; nothing where there is nothing to say. */
function renderReverts({ steps }: PlanResult, style: Style): string | null {
  const facts = steps.flatMap(({ id, revert, proof }) => {
    const detail = revert?.detail ?? (proof?.verdict === 'lossy' ? proof.detail : '')
    return detail === '' || revert?.kind === 'proven' ? [] : [[id, `${revert?.kind ?? 'lossy'}: ${detail}`] as const]
  })
  return facts.length === 0 ? null : renderFacts(facts, style)
}

function renderLocks({ steps }: PlanResult, style: Style): string | null {
  const locks = locksOfRun(steps)
  if (locks.length === 0) return null
  const columns = ['LOCKED', 'MODE', 'WAIT MEANWHILE', 'SIZE', 'BY'].map((title) => ({ title }))
  const rows = locks.slice(0, MOST_LOCKS).map(({ relation, mode, size, step, line }) => {
    return [relation, mode, BLOCKED[mode], sizeOf(size), line === null ? step.id : `${step.id}, line ${line}`]
  })
  const more = locks.length > MOST_LOCKS ? `\n… and ${locks.length - MOST_LOCKS} more` : ''
  return `${renderTable(columns, rows, style)}${more}`
}

/** A table may have thousands of partitions. */
const MOST_LOCKS = 50

function isSet({ policy }: PlanResult): boolean {
  return Object.values(policy.sources).some((source) => source !== 'default')
}

function renderPolicy({ policy: { environment, policy, sources } }: PlanResult, style: Style): string {
  const facts = Object.entries({ environment: environment ?? 'none', ...policy }).map(
    ([name, value]) => [name, `${String(value)} (${sources[name as keyof typeof sources]})`] as const,
  )
  return renderFacts(facts, style)
}

function summaryOf(plan: PlanResult, style: Style): string {
  const where = `"${plan.database}"`
  if (plan.steps.length === 0) {
    const blocked = plan.problems.length > 0
    return blocked
      ? style.bad(`A run on ${where} would be refused.`)
      : style.good(`There is nothing to do on ${where}.`)
  }
  const verb = plan.action === 'up' ? 'apply' : 'revert'
  const snapshot = plan.snapshot === 'none' ? 'without a snapshot' : 'after a snapshot'
  const [from, to] = [plan.current ?? 'base', plan.target ?? 'base']
  const would = `A run would ${verb} ${count(plan.steps.length, 'migration')} on ${where}, ${snapshot}: ${from} -> ${to}.`
  return plan.problems.length > 0 ? `${would} ${style.bad('It would be refused.')}` : would
}
