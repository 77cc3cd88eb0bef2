import { runCodeStep } from '../../lambda/engine/run/code-step.ts'
import { FIRE_DEFERRED_SQL, mayDefer } from '../../lambda/engine/session/deferred-constraints.ts'
import { quoteLiteral } from '../../lambda/engine/database.ts'
import { StepError } from '../../lambda/engine/failure/failure.ts'
import { LOCK_TIMEOUT_MS, resetSessionSql, stepTimeoutsSql } from '../../lambda/engine/session/session.ts'
import { beginsTransaction } from '../../lambda/engine/migration/statement-traits.ts'
import type { Statement } from '../../lambda/engine/migration/statements.ts'
import type { CodeStep, SqlStep, Step } from '../../lambda/engine/plan/step.ts'
import { withMissingRoles } from '../shadow/shadow-database.ts'
import { readAftermath, type Aftermath } from './aftermath.ts'
import { readCatalog, type Catalog } from './catalog.ts'
import type { Before } from './difference.ts'
import type { Observation } from './observation.ts'
import {
  observedStatement,
  watchedConnection,
  watchOf,
  watchOutside,
  watchWithin,
  type Watch,
  type WatchedDatabase,
} from './watch.ts'

/** What a migration did on the shadow. */
export interface ObservedStep {
  readonly step: Step
  /** Of the statements up to the one that failed, if one did. */
  readonly observations: readonly Observation[]
  readonly failure: StepError | null
  readonly catalog: Catalog
  readonly aftermath: Aftermath
}

/**
 * Applies a migration as a run would, watching each statement, and commits it. One that fails leaves the shadow as it
 * was before, as far as what it had committed by itself allows.
 */
export async function observeStep(
  watched: WatchedDatabase,
  step: Step,
  { catalog, before }: { readonly catalog: Catalog; readonly before: Before },
): Promise<ObservedStep> {
  const { connection, historySchema, stepRun } = watched.database
  let watch = watchOf(watched, catalog, before)
  let failure: StepError | null = null
  try {
    await withMissingRoles(watched.server, async () => {
      watch = watchOf(watched, catalog, before)
      await applyWatched(watch, step)
    })
  } catch (error) {
    failure = error instanceof StepError ? error : new StepError(step, null, error)
  }
  await connection.execute(resetSessionSql(stepRun.context))
  return {
    step,
    observations: watch.observations,
    failure,
    catalog: failure === null ? watch.catalog : await readCatalog(connection, historySchema),
    aftermath: await readAftermath(connection, historySchema),
  }
}

async function applyWatched(watch: Watch, step: Step): Promise<void> {
  const { connection, stepRun } = watch.watched.database
  try {
    const { timeZone } = watch.watched
    // Whether timestamp to timestamptz rewrites a table depends on it.
    const zone = timeZone === null ? '' : `; SET timezone = ${quoteLiteral(timeZone)}`
    await connection.execute(`${stepTimeoutsSql(stepRun.context, step)}${zone}`)
    if (step.transactional) await connection.execute('BEGIN')
    await (step.kind === 'ts' ? runCode(watch, step) : runStatements(watch, step))
    if (!step.transactional) return
    stepRun.deferrable ||= mayDefer(step)
    await connection.execute(stepRun.deferrable ? `${FIRE_DEFERRED_SQL};\nCOMMIT` : 'COMMIT')
  } catch (error) {
    await connection.execute(`ROLLBACK; ${resetSessionSql(stepRun.context)}`)
    throw error
  }
}

async function runCode(watch: Watch, step: CodeStep): Promise<void> {
  await runCodeStep(watchedConnection(watch, step.transactional), step, watch.watched.database.stepRun)
}

async function runStatements(watch: Watch, step: SqlStep): Promise<void> {
  let inOwn = false
  for (const statement of step.statements) {
    try {
      await runStatement(watch, step, statement, step.transactional || inOwn)
    } catch (error) {
      throw new StepError(step, statement, error)
    }
    if (step.transactional) continue
    const { transactionControl } = statement.traits
    if (transactionControl !== null) inOwn = beginsTransaction(statement.traits)
    if (!inOwn) watch.last = null
  }
}

async function runStatement(watch: Watch, step: SqlStep, statement: Statement, within: boolean): Promise<void> {
  const { connection } = watch.watched.database
  const { traits, sql } = statement
  const observed = observedStatement(sql, statement)
  const run = async (): Promise<void> => void (await connection.execute(sql))
  if (traits.transactionControl !== null) return run()
  if (within) return watchWithin(watch, observed, run)
  if (traits.outsideTransaction !== null || traits.mayCommit) return watchOutside(watch, observed, run)
  await connection.execute(`BEGIN; SET LOCAL lock_timeout = ${step.lockTimeoutMs ?? LOCK_TIMEOUT_MS}`)
  await watchWithin(watch, observed, run)
  await connection.execute('COMMIT')
}
