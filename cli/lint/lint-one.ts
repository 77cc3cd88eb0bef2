import type { Hazard, RelationLock } from '../../lambda/analysis-contract.ts'
import type { Node } from '../../lambda/engine/plan/migration-graph.ts'
import type { Migration } from '../../lambda/engine/migration/migration.ts'
import { upStep, type Step } from '../../lambda/engine/plan/step.ts'
import { LockstepError, reportOf } from '../../lambda/errors.ts'
import type { Aftermath } from './aftermath.ts'
import type { Catalog } from './catalog.ts'
import type { Before } from './difference.ts'
import { judge, notObserved } from './judge/judge.ts'
import { locksOf } from './locks.ts'
import { withSquawk } from './merge-squawk.ts'
import { nameOf } from './observation.ts'
import { observeStep, type ObservedStep } from './observe.ts'
import type { SquawkReport } from './squawk.ts'
import type { WatchedDatabase } from './watch.ts'

/** What was found of one migration. */
export interface Linted {
  readonly migration: Migration
  readonly hazards: readonly Hazard[]
  /** Tables and views that it makes: in the same run, what happens to them matters to nobody. */
  readonly creates: readonly string[]
  /** What it locks of what was there before. */
  readonly locks: readonly RelationLock[]
  /** Whether it ran to its end where it was tried. */
  readonly observed: boolean
}

/** What there is before a migration. */
export interface State {
  readonly catalog: Catalog
  readonly aftermath: Aftermath
}

/** Runs a migration, watched, and says what was found of it, and what there is after it. */
export async function lintOne(
  watched: WatchedDatabase,
  node: Node,
  found: { readonly state: State; readonly before: Before; readonly squawk: SquawkReport },
): Promise<{ readonly result: Linted; readonly next: State }> {
  const { migration } = node
  const { state, before, squawk } = found
  const { step, hazard } = readyStep(node)
  const own = hazard === null ? [] : [hazard]
  if (step === null) {
    return { result: { migration, hazards: together(own, null), creates: [], locks: [], observed: false }, next: state }
  }
  const observed = await observeStep(watched, step, { catalog: state.catalog, before })
  const result = {
    migration,
    hazards: together([...own, ...judge(observed, state.aftermath)], observed),
    creates: createdBy(observed, state.catalog),
    locks: locksOf(observed),
    observed: observed.failure === null && hazard === null,
  }
  return { result, next: observed }

  function together(hazards: readonly Hazard[], run: ObservedStep | null): readonly Hazard[] {
    const findings = squawk.findings.get(migration.id) ?? []
    const all = withSquawk(hazards, findings, {
      observed: run !== null && run.failure === null,
      lineAfter: lineAfterOf(run),
    })
    return all.toSorted((a, b) => (a.line ?? Infinity) - (b.line ?? Infinity) || (a.id < b.id ? -1 : 1))
  }
}

/**
 * A file that cannot be run as it declares is a finding as well, and not the end of it: what comes after it may need what it
 * makes, so it runs statement by statement, as it would in psql.
 */
export function readyStep(node: Node): { readonly step: Step | null; readonly hazard: Hazard | null } {
  try {
    return { step: upStep(node), hazard: null }
  } catch (error) {
    if (!(error instanceof LockstepError)) throw error
    const { message, line = null } = reportOf(error)
    return { step: stepOutside(node), hazard: notObserved(line, message) }
  }
}

function stepOutside({ migration, parents }: Node): Step | null {
  if (migration.kind === 'ts') return null
  try {
    return upStep({ migration: { ...migration, up: { ...migration.up, transactional: false } }, parents })
  } catch {
    return null
  }
}

/** The line on which the statement behind the one of this line begins. */
function lineAfterOf(run: ObservedStep | null): (line: number) => number {
  if (run === null || run.step.kind === 'ts') return () => Infinity
  const starts = run.step.statements.map(
    ({ block, offset }) => block.line + block.text.slice(0, offset).split('\n').length - 1,
  )
  return (line) => starts.find((start) => start > line) ?? Infinity
}

/** What replaces one of the same name is no new one: for the database it is the old one until then. */
function createdBy({ catalog }: ObservedStep, before: Catalog): readonly string[] {
  const kinds = new Set(['table', 'view', 'materialized view'])
  const known = new Set([...before.relations.values()].map(nameOf))
  return [...catalog.relations.values()]
    .filter(({ oid, kind }) => !before.relations.has(oid) && kinds.has(kind))
    .map(nameOf)
    .filter((name) => !known.has(name))
    .toSorted()
}
