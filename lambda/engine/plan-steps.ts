import type { AnalysisEntry } from '../analysis-contract.ts'
import type { PlanStep } from '../plan-contract.ts'
import type { EngineContext } from './context.ts'
import type { Problem } from './plan.ts'
import { isRepeatable } from './repeatable.ts'
import { segmentsOf } from './segments.ts'
import type { Step } from './step.ts'

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

/** The steps as a plan tells them. */
export function planSteps(
  steps: readonly Step[],
  context: EngineContext,
  { sql, known }: { readonly sql: boolean; readonly known: ReadonlyMap<string, AnalysisEntry> },
): readonly PlanStep[] {
  return segmentsOf(steps, context.scope).flatMap((segment, index) =>
    segment.steps.map((step) => ({
      id: step.id,
      direction: step.direction,
      kind: isRepeatable(step) ? 'repeatable' : step.kind,
      transactional: step.transactional,
      segment: index + 1,
      statements: step.kind === 'sql' ? step.statements.length : 0,
      proof: known.get(step.id)?.proof ?? null,
      hazards: step.direction === 'up' ? (known.get(step.id)?.hazards ?? null) : null,
      ...(sql ? { sql: sqlOf(step) } : {}),
    })),
  )
}

/** A semicolon behind a comment would be a part of it. */
function ended(sql: string): string {
  return /--[^\n]*$/.test(sql) ? `${sql}\n;` : `${sql};`
}

function sqlOf(step: Step): string {
  if (step.kind === 'ts') return `-- ${step.migration.file} is code: ${step.direction}() of it runs here.`
  return step.statements.map((statement) => ended(statement.sql)).join('\n')
}
