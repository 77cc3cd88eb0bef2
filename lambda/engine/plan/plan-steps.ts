import type { Proof, RelationLock } from '../../analysis-contract.ts'
import { maskSecrets } from '../../mask-secrets.ts'
import type { PlanLock, PlanRevert, PlanStep } from '../../plan-contract.ts'
import type { EngineContext } from '../context.ts'
import type { Problem } from './plan.ts'
import { isRepeatable } from '../migration/repeatable.ts'
import { segmentsOf } from './segments.ts'
import type { Step } from './step.ts'
import { liveHazards, matters } from '../policy/judge-hazards.ts'
import type { RunFacts } from '../policy/run-facts.ts'

/** What is applied without a file, where nothing else says so. */
export function aheadProblems(ahead: readonly string[], known: readonly Problem[]): readonly Problem[] {
  const named = new Set(known.map((problem) => problem.migration))
  return ahead
    .filter((id) => !named.has(id))
    .map((id) => ({
      code: 'DATABASE_AHEAD',
      migration: id,
      message: `${id} is applied but has no file: the database is ahead of the files.`,
      remedy: 'Check out the version that has the file, or revert the migration with "down".',
    }))
}

interface Known extends Pick<RunFacts, 'analysis' | 'live'> {
  readonly sql: boolean
}

/** The steps as a plan tells them. Pure. */
export function planSteps(
  steps: readonly Step[],
  { scope }: Pick<EngineContext, 'scope'>,
  known: Known,
): readonly PlanStep[] {
  return segmentsOf(steps, scope).flatMap((segment, index) =>
    segment.steps.map((step) => ({
      id: step.id,
      file: step.migration.file,
      direction: step.direction,
      kind: isRepeatable(step) ? 'repeatable' : step.kind,
      transactional: step.transactional,
      segment: index + 1,
      statements: step.kind === 'sql' ? step.statements.length : 0,
      ...foundOf(step, known),
      ...(known.sql ? { sql: sqlOf(step) } : {}),
    })),
  )
}

/** What was found of it, on what exists now. Nobody looks at downs. */
function foundOf(step: Step, known: Known): Pick<PlanStep, 'proof' | 'revert' | 'hazards' | 'locks'> {
  const { proof = null, hazards = null, locks = null } = known.analysis.get(step.id) ?? {}
  if (step.direction === 'down') return { proof, revert: null, hazards: null, locks: null }
  return {
    proof,
    revert: revertOf(step, proof),
    hazards: hazards === null ? null : liveHazards(step.migration, known),
    locks: locks === null ? null : liveLocks(locks, known),
  }
}

/** What the same run makes is locked from nobody. What has another name before it is there, and its size is not known. */
function liveLocks(locks: readonly RelationLock[], known: Known): readonly PlanLock[] {
  const { relations, isEmpty } = known.live
  if (isEmpty) return []
  return locks
    .filter(({ relation }) => matters(relation, known))
    .map((lock) => ({ ...lock, size: relations.get(lock.relation) ?? null }))
}

function revertOf(step: Step, proof: Proof | null): PlanRevert {
  const { irreversible } = step.migration.directives
  if (irreversible !== null) return { kind: 'irreversible', detail: irreversible }
  if (isRepeatable(step)) return revertOfRepeatable(step)
  if (step.migration.down === null) return { kind: 'none', detail: '' }
  return proof === null ? { kind: 'untried', detail: '' } : { kind: proof.verdict, detail: proof.detail }
}

/** The first text has its own down, or nothing. */
function revertOfRepeatable({ id, migration }: Step): PlanRevert {
  const isNothing = migration.kind === 'sql' && (migration.down?.blocks.length ?? 0) === 0
  if (isNothing) return { kind: 'none', detail: 'what it makes stays' }
  return { kind: 'untried', detail: id.endsWith('#1') ? '' : 'the text before is put back' }
}

/** A semicolon behind a comment would be a part of it. */
export function ended(sql: string): string {
  return /--[^\n]*$/.test(sql) ? `${sql}\n;` : `${sql};`
}

/** To be read: what is run has its passwords. */
function sqlOf(step: Step): string {
  if (step.kind === 'ts') return `-- ${step.migration.file} is code: ${step.direction}() of it runs here.`
  return maskSecrets(step.statements.map((statement) => ended(statement.sql)).join('\n'))
}
