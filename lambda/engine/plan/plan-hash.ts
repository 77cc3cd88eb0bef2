import { createHash } from 'node:crypto'
import type { SnapshotMode } from '../../contract.ts'
import type { EngineContext } from '../context.ts'
import { segmentsOf } from './segments.ts'
import type { State } from '../history/state.ts'
import { isRepeatable } from '../migration/repeatable.ts'
import type { Step } from './step.ts'

/** What the snapshot before a run is, as far as the settings say. */
export interface SnapshotSetting {
  readonly mode: SnapshotMode
  /** Whose rows it holds and whose it leaves out, as the settings say it. Null: that is not chosen. */
  readonly rows: string | null
}

/** All that decides what a run does. */
export interface PlanFacts {
  readonly database: string
  readonly action: 'up' | 'down'
  readonly state: Pick<State, 'applied' | 'progress'>
  readonly steps: readonly Step[]
  readonly snapshot: SnapshotSetting
}

/** What of a plan can be told to have changed. The order is that of the digits in the hash. */
const PARTS = ['place', 'history', 'steps', 'settings'] as const
export type PlanPart = (typeof PARTS)[number]

const WHOLE_DIGITS = 16
const PART_DIGITS = 2
const FORM = new RegExp(`^[0-9a-f]{${WHOLE_DIGITS + PART_DIGITS * PARTS.length}}$`)

/** Whether a text is a plan's hash: a whole one, no abbreviation. */
export function isPlanHash(text: string): boolean {
  return FORM.test(text)
}

/** For people who gave something else. */
export const PLAN_HASH_SYNTAX = '24 digits and letters from a to f, as "plan" shows it'

/**
 * The hash of a plan: 16 digits of a sha256 over all that decides what the run does, and 2 for each part of it, by which
 * it can be told what has changed. Times, sizes, run ids and what was found of the migrations are not among it. Pure.
 */
export function planHash(context: Pick<EngineContext, 'schema' | 'set' | 'scope'>, facts: PlanFacts): string {
  const parts = partsOf(context, facts)
  const digests = PARTS.map((part) => digestOf(parts[part], PART_DIGITS))
  return `${digestOf(parts, WHOLE_DIGITS)}${digests.join('')}`
}

/** Which parts of the plan are others than those of a hash; empty where that cannot be told. Pure. */
export function changedParts(before: string, now: string): readonly PlanPart[] {
  return PARTS.filter((_, index) => {
    const from = WHOLE_DIGITS + index * PART_DIGITS
    return before.slice(from, from + PART_DIGITS) !== now.slice(from, from + PART_DIGITS)
  })
}

function partsOf(
  { schema, set, scope }: Pick<EngineContext, 'schema' | 'set' | 'scope'>,
  { database, action, state, steps, snapshot }: PlanFacts,
): { readonly [P in PlanPart]: unknown } {
  return {
    place: [database, schema, set],
    history: [
      state.applied.map(({ id, checksum }) => [id, checksum]),
      state.progress
        .map(({ id, direction, statementsDone, inFlight }) => [id, direction, statementsDone, inFlight])
        .toSorted((a, b) => (String(a) < String(b) ? -1 : 1)),
    ],
    steps: [
      action,
      segmentsOf(steps, scope).map(({ transactional, steps }) => [transactional, steps.map((step) => factsOf(step))]),
    ],
    settings: [scope, snapshot.mode, snapshot.rows],
  }
}

/** The checksum of a file stands for its statements, directives, requirements and down. */
function factsOf(step: Step): readonly unknown[] {
  const { id, direction, migration } = step
  const compiled = migration.kind === 'ts' ? (migration.compiled?.checksum ?? null) : null
  return [id, direction, isRepeatable(step) ? 'repeatable' : step.kind, migration.checksum, compiled]
}

function digestOf(value: unknown, digits: number): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, digits)
}
