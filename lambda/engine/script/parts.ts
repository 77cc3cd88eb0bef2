import type { Clock } from '../../clock.ts'
import type { Expression } from '../database.ts'
import type { EngineContext } from '../context.ts'
import { recordStepsSql } from '../history/history.ts'
import { beginsTransaction } from '../migration/statement-traits.ts'
import { canShareTransaction, patienceOf } from '../run/outside-transaction.ts'
import { clearProgressSql, saveProgressSql } from '../history/progress.ts'
import type { Segment } from '../plan/segments.ts'
import { LOCK_TIMEOUT_MS, NEWER_SETTINGS, plainSettingsSql, PUT_BACK, stepTimeoutsSql } from '../session/session.ts'
import { mayChangeSession } from '../run/step-runner.ts'
import type { SqlStep } from '../plan/step.ts'
import { questionGuard, recordedGuard, validityGuard, type Place } from './guards.ts'
import { comment, doBlock, setVariables, statementText } from './psql-text.ts'

/** What a script records, as a run of its own would. */
export interface ScriptContext extends Place {
  readonly version: string
  readonly clock: Clock
  readonly trigger: EngineContext['trigger']
  readonly now: Expression
  readonly runId: Expression
  readonly appliedBy: Expression
}

/** Steps that share a transaction, or one outside of one, with where in the history they begin. */
export interface ScriptSegment {
  readonly segment: Segment
  readonly steps: readonly SqlStep[]
  /** In the history before. */
  readonly applied: number
  /** Of the first step, if it is recorded. */
  readonly position: number
  /** By id: the variable that says whether what the step requires is still to be asked. */
  readonly later: ReadonlyMap<string, string>
  /** Closes the run's record; null: another segment does. */
  readonly closing: string | null
}

/** Of the script's session; PostgreSQL's own names of the time. */
const FOREVER = { remainingMs: () => Infinity }

const BEGAN = setVariables(`pg_catalog.date_part('epoch', pg_catalog.clock_timestamp()) AS lockstep_began`)
const DURATION: Expression = {
  sql: `(1000 * (pg_catalog.date_part('epoch', pg_catalog.clock_timestamp()) - :lockstep_began))::int`,
}

/** The session's settings become those of a run, whatever came before. psql speaks UTF-8 to the server. */
export const RESET = [
  PUT_BACK,
  plainSettingsSql(FOREVER),
  doBlock(`  PERFORM ${NEWER_SETTINGS};`),
  "SET client_encoding = 'UTF8'",
]
  .join(';\n')
  .replaceAll('; ', ';\n')

/** Null for nothing. */
type Part = string | null

export function segmentText(context: ScriptContext, found: ScriptSegment): string {
  const parts = found.segment.transactional ? insideText(context, found) : outsideText(context, found)
  return parts.filter((part) => part !== null).join('\n\n')
}

function insideText(
  context: ScriptContext,
  { steps, applied, position, later, closing }: ScriptSegment,
): readonly Part[] {
  const isUp = steps[0]?.direction === 'up'
  const ids = steps.map(({ id }) => id)
  const total = isUp ? applied + steps.length : applied - steps.length
  const [first, ...others] = steps.map((step, index) => stepInside(context, step, position + index, later))
  return [
    // Before SET TRANSACTION nothing may be asked.
    BEGAN,
    'BEGIN;',
    ...(first ?? []),
    ...others.flatMap((parts) => [BEGAN, ...parts]),
    closing === null ? null : `${closing};`,
    ':lockstep_held;',
    `${recordedGuard(context, { total, ids, present: isUp })};`,
    'COMMIT;',
  ]
}

function stepInside(
  context: ScriptContext,
  step: SqlStep,
  position: number,
  later: ReadonlyMap<string, string>,
): readonly Part[] {
  return [
    titleOf(step),
    ownTimeouts(step),
    askLater(step, later),
    ...step.statements.map(({ sql }) => statementText(sql)),
    verify(step),
    ':lockstep_fire;',
    mayChangeSession(step, { context: FOREVER }) ? ':lockstep_reset;' : null,
    `${recordText(context, step, position)};`,
    step.direction === 'up' ? null : `${clearProgressSql(context, step.id)};`,
  ]
}

function outsideText(context: ScriptContext, { steps, position, later, closing }: ScriptSegment): readonly Part[] {
  return steps.flatMap((step) => [
    BEGAN,
    titleOf(step),
    ownTimeouts(step),
    askLater(step, later),
    ...statementsOutside(context, step),
    verify(step),
    ':lockstep_reset;',
    'BEGIN;',
    `${recordText(context, step, position)};`,
    `${clearProgressSql(context, step.id)};`,
    closing === null ? null : `${closing};`,
    ':lockstep_held;',
    'COMMIT;',
  ])
}

/** Each statement is recorded as a run does it, so that "up" goes on at the one that failed. */
function statementsOutside(context: ScriptContext, step: SqlStep): readonly Part[] {
  const parts: Part[] = []
  let ownTransaction: number | null = null
  const record = (done: number, inFlight: boolean): string =>
    `${saveProgressSql(context, step, { done, inFlight, runId: context.runId })};`
  for (const [index, statement] of step.statements.entries()) {
    const text = statementText(statement.sql)
    const { traits } = statement
    if (ownTransaction === null && canShareTransaction(statement)) {
      const timeout = `SET LOCAL lock_timeout = ${step.lockTimeoutMs ?? LOCK_TIMEOUT_MS};`
      parts.push(`BEGIN;\n${timeout}`, text, `${record(index + 1, false)}\nCOMMIT;`)
    } else if (ownTransaction === null) {
      parts.push(`SET lock_timeout = ${patienceOf(step, statement)};\n${record(index, true)}`, text)
      const guard = validityGuard(statement)
      if (guard !== null) parts.push(`${guard};`)
    } else {
      parts.push(traits.transactionControl === 'commit' ? record(index + 1, false) : null, text)
    }
    if (traits.transactionControl !== null) ownTransaction = beginsTransaction(traits) ? index : null
  }
  return parts
}

function titleOf({ id, direction }: SqlStep): string {
  return comment(`${id} (${direction})`)
}

function ownTimeouts(step: SqlStep): Part {
  return step.lockTimeoutMs === null && step.statementTimeoutMs === null ? null : `${stepTimeoutsSql(FOREVER, step)};`
}

function askLater(step: SqlStep, later: ReadonlyMap<string, string>): Part {
  const variable = later.get(step.id)
  return variable === undefined ? null : `\\if :${variable}\n${questionGuard(step, 'require')};\n\\endif`
}

function verify(step: SqlStep): Part {
  return step.verify.length === 0 ? null : `${questionGuard(step, 'verify')};`
}

function recordText(context: ScriptContext, step: SqlStep, position: number): string {
  const record = { step, runId: context.runId, position, appliedAt: context.now, durationMs: DURATION }
  return recordStepsSql(context, [record])
}
