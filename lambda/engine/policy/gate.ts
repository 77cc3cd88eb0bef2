import type { AnalysisEntry, ResolvedPolicy } from '../../analysis-contract.ts'
import type { Analysis } from './analysis.ts'
import type { EngineContext } from '../context.ts'
import type { Connection } from '../database.ts'
import { findDrift } from '../drift/find-drift.ts'
import { judgeDrift } from '../drift/judge-drift.ts'
import { findViolations } from './existing-data.ts'
import { readLive } from './live.ts'
import { problemError } from '../plan/plan.ts'
import { fileIdOf } from '../migration/repeatable.ts'
import type { Step } from '../plan/step.ts'
import type { PolicyVerdict, RunFacts } from './run-facts.ts'
import { judgeRun } from './verdict.ts'

/** What a run must pass before anything is touched. */
export interface Gate {
  readonly policy: ResolvedPolicy
  readonly analysis: Analysis
  /** The database's name, as the caller gave it to confirm a revert. @default null: not given */
  readonly confirm?: string | null
  /** Whether the run takes a deployment back: asked only where it would be refused otherwise. @default it does not */
  readonly isRollback?: () => Promise<boolean>
}

/** The run that stands before it. */
export type Candidate = Pick<RunFacts, 'database' | 'steps' | 'snapshot' | 'begun'>

/** What the policy says of the run, and what is known of it. Reads the catalog, and asks rows that exist whether they are what is demanded of them. */
export async function judgeByPolicy(
  context: Pick<EngineContext, 'schema' | 'clock'>,
  connection: Connection,
  gate: Gate,
  candidate: Candidate,
): Promise<PolicyVerdict & Pick<RunFacts, 'analysis' | 'live'>> {
  const { policy, analysis, confirm = null } = gate
  const known = currentEntries(analysis, candidate.steps)
  const hazards = [...known.values()].flatMap((entry) => entry.hazards ?? [])
  const locked = [...known.values()].flatMap((entry) => entry.locks ?? [])
  const creates = [...known.values()].flatMap((entry) => entry.creates)
  const names = [...new Set([...[...hazards, ...locked].flatMap(({ relation }) => relation ?? []), ...creates])]
  const isUp = candidate.steps[0]?.direction === 'up'
  const asksRows = isUp && policy.environment !== null && policy.policy.hazards !== 'ignore'
  const asksLive = isUp && (names.length > 0 || asksRows || policy.policy.requireSnapshot)
  const live = asksLive
    ? await readLive(connection, context.schema, names)
    : { relations: new Map<string, never>(), isEmpty: false }
  const violations =
    asksRows && !live.isEmpty ? await findViolations(connection, candidate.steps, context.clock.monotonic) : []
  const facts = { ...candidate, analysis: known, confirm, live, violations }
  const verdict = judgeRun(policy, facts)
  const drift = await driftVerdict(context, connection, gate, candidate)
  const problems = [...drift.problems, ...verdict.problems]
  return { problems, warnings: [...drift.warnings, ...verdict.warnings], analysis: known, live }
}

/** What the policy says of what somebody else has changed. A run without steps is not asked. */
async function driftVerdict(
  context: Pick<EngineContext, 'schema'>,
  connection: Connection,
  { policy: { policy }, isRollback = async () => false }: Gate,
  { steps }: Pick<Candidate, 'steps'>,
): Promise<PolicyVerdict> {
  const [first] = steps
  if (first === undefined || policy.onDrift === 'ignore') return { problems: [], warnings: [] }
  const drift = await findDrift(context, connection)
  const verdict = judgeDrift(policy.onDrift, drift, first.direction === 'down')
  if (verdict.problems.length === 0 || !(await isRollback())) return verdict
  return judgeDrift(policy.onDrift, drift, true)
}

/**
 * What is to be warned of before a deployment is taken back. Nothing keeps it from being taken back.
 *
 * @throws ConnectionLostError
 */
export async function warnOfDrift(
  context: Pick<EngineContext, 'schema' | 'log'>,
  connection: Connection,
  gate: Gate | null | undefined,
  steps: readonly Step[],
): Promise<readonly string[]> {
  if (gate === null || gate === undefined) return []
  const { warnings } = await driftVerdict(context, connection, { ...gate, isRollback: async () => true }, { steps })
  for (const warning of warnings) context.log.warn(warning)
  return warnings
}

/**
 * Lets a run pass, and gives what is to be warned of.
 *
 * @throws LockstepError `HAZARD_REFUSED`, `CONFIRMATION_REQUIRED`; nothing has been touched.
 */
export async function passGate(
  context: Pick<EngineContext, 'schema' | 'clock' | 'log'>,
  connection: Connection,
  gate: Gate | null | undefined,
  candidate: Candidate,
): Promise<readonly string[]> {
  if (gate === null || gate === undefined) return []
  const { problems, warnings } = await judgeByPolicy(context, connection, gate, candidate)
  const refusal = problemError(problems)
  if (refusal !== null) throw refusal
  for (const warning of warnings) context.log.warn(warning)
  return warnings
}

/** What is said of another text of a file says nothing of this one. Of a repeatable, the file's id has it. */
export function currentEntries(analysis: Analysis, steps: readonly Step[]): ReadonlyMap<string, AnalysisEntry> {
  return new Map(
    steps.flatMap(({ id, migration: { checksum } }) => {
      const fileId = fileIdOf({ id })
      const entry = Object.hasOwn(analysis, fileId) ? analysis[fileId] : undefined
      return entry?.checksum === checksum ? [[id, entry] as const] : []
    }),
  )
}
