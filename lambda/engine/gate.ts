import type { AnalysisEntry, ResolvedPolicy } from '../analysis-contract.ts'
import type { Analysis } from './analysis.ts'
import type { EngineContext } from './context.ts'
import type { Connection } from './database.ts'
import { findViolations } from './existing-data.ts'
import { readLive } from './live.ts'
import { problemError } from './plan.ts'
import { fileIdOf } from './repeatable.ts'
import type { Step } from './step.ts'
import { judgeRun, type PolicyVerdict, type RunFacts } from './verdict.ts'

/** What a run must pass before anything is touched. */
export interface Gate {
  readonly policy: ResolvedPolicy
  readonly analysis: Analysis
  /** The database's name, as the caller gave it to confirm a revert. @default null: not given */
  readonly confirm?: string | null
}

/** The run that stands before it. */
export type Candidate = Pick<RunFacts, 'database' | 'steps' | 'snapshot'>

/** What the policy says of the run. Reads the catalog, and asks rows that exist whether they are what is demanded of them. */
export async function judgeByPolicy(
  context: Pick<EngineContext, 'schema' | 'clock'>,
  connection: Connection,
  { policy, analysis, confirm = null }: Gate,
  candidate: Candidate,
): Promise<PolicyVerdict> {
  const known = currentEntries(analysis, candidate.steps)
  const hazards = [...known.values()].flatMap((entry) => entry.hazards ?? [])
  const names = [...new Set(hazards.flatMap(({ relation }) => relation ?? []))]
  const isUp = candidate.steps[0]?.direction === 'up'
  const asksRows = isUp && policy.environment !== null && policy.policy.hazards !== 'ignore'
  const asksLive = isUp && (names.length > 0 || asksRows || policy.policy.requireSnapshot)
  const live = asksLive
    ? await readLive(connection, context.schema, names)
    : { relations: new Map<string, never>(), isEmpty: false }
  const violations =
    asksRows && !live.isEmpty ? await findViolations(connection, candidate.steps, context.clock.monotonic) : []
  return judgeRun(policy, { ...candidate, analysis: known, confirm, live, violations })
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
