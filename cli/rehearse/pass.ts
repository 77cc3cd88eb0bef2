import type { ErrorReport, RunResult } from '../../lambda/contract.ts'
import type { EngineContext } from '../../lambda/engine/context.ts'
import { LockstepError } from '../../lambda/errors.ts'
import { modeName, type Relation } from '../lint/observation.ts'
import { estimateOf, nameBefore, type Sizes } from './estimate.ts'
import { holdsOf } from './holds.ts'
import type { RecordedStatement, Recorder, Recording } from './recorder.ts'
import type { PassName, RehearsedMigration, RehearsedPass, RehearsedStatement } from './rehearsal.ts'
import { lineOf, textOf } from './statement-text.ts'

/** A run, and what came of it. */
export interface PassOutcome {
  readonly pass: RehearsedPass
  /** Null: it was refused before its first statement. */
  readonly run: RunResult | null
}

export interface PassRoom {
  readonly recorder: Recorder
  readonly context: EngineContext
  /** What tables hold. */
  readonly sizes: Sizes
  /** Whether statements met the rows that production has, so that their times tell. */
  readonly hasRows: boolean
}

/** Does a run, watched. A run that fails is a result. */
export async function runPass(
  { recorder, context, sizes, hasRows }: PassRoom,
  name: PassName,
  run: (context: EngineContext) => Promise<RunResult>,
): Promise<PassOutcome> {
  const { connect, watch, clock } = recorder
  const watched = { ...context, connect, watch, clock: { ...context.clock, monotonic: clock } }
  const { result, recording } = await recorder.record(() => attempt(() => run(watched)))
  const { done, refused } = result
  const error = refused ?? done?.error ?? null
  const estimates = hasRows ? null : recording.statements.map((each) => estimateOf(recording, each, sizes))
  return {
    run: done,
    pass: {
      pass: name,
      status: error === null ? 'succeeded' : 'failed',
      reason: null,
      durationMs: rounded(recording.durationMs),
      migrations: migrationsIn(recording, estimates),
      holds: holdsOf(recording, estimates).map(({ lastsMs: _lastsMs, ...hold }) => {
        const size = Object.hasOwn(sizes, hold.relation) ? sizes[hold.relation] : undefined
        const { heldMs, estimatedMs } = hold
        return {
          ...hold,
          heldMs: rounded(heldMs),
          estimatedMs: estimatedMs === null ? null : rounded(estimatedMs),
          bytes: size?.bytes ?? null,
          rows: size?.rows ?? null,
        }
      }),
      error,
    },
  }
}

export function skippedPass(name: PassName, reason: string): RehearsedPass {
  return {
    pass: name,
    status: 'skipped',
    reason,
    durationMs: 0,
    migrations: [],
    holds: [],
    error: null,
  }
}

interface Attempt {
  readonly done: RunResult | null
  readonly refused: ErrorReport | null
}

async function attempt(run: () => Promise<RunResult>): Promise<Attempt> {
  try {
    return { done: await run(), refused: null }
  } catch (error) {
    if (!(error instanceof LockstepError)) throw error
    return { done: null, refused: error.report }
  }
}

function migrationsIn(recording: Recording, estimates: readonly number[] | null): readonly RehearsedMigration[] {
  const entries = recording.statements.map((statement, index) => ({ statement, estimate: estimates?.[index] ?? null }))
  const byStep = Map.groupBy(entries, ({ statement }) => statement.at.step)
  return [...byStep].map(([step, own]) => {
    const statements = own.map(({ statement, estimate }) => statementOf(recording, statement, estimate))
    return {
      id: step.id,
      file: step.migration.file,
      durationMs: rounded(own.reduce((sum, { statement }) => sum + statement.durationMs, 0)),
      estimatedMs: estimates === null ? null : rounded(own.reduce((sum, { estimate }) => sum + (estimate ?? 0), 0)),
      statements,
    }
  })
}

function statementOf(
  recording: Recording,
  { at, durationMs, failed, observation }: RecordedStatement,
  estimate: number | null,
): RehearsedStatement {
  const names = (relations: readonly Relation[]): readonly string[] =>
    relations.map((relation) => nameBefore(recording, relation)).toSorted()
  return {
    line: lineOf(at),
    text: textOf(at),
    durationMs: rounded(durationMs),
    estimatedMs: estimate === null || estimate === 0 ? null : rounded(estimate),
    failed,
    locks: (observation?.locks ?? [])
      .map(({ relation, mode }) => ({
        relation: nameBefore(recording, relation),
        kind: relation.kind,
        mode: modeName(mode),
      }))
      .toSorted((a, b) => (a.relation < b.relation ? -1 : 1)),
    rewritten: names(observation?.rewritten ?? []),
    scanned: names(observation?.scanned ?? []),
  }
}

/** Less than a hundredth of a millisecond is noise. */
function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 100) / 100
}
