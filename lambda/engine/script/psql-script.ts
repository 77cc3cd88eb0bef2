import { LockstepError, UNTOUCHED } from '../../errors.ts'
import type { EngineContext } from '../context.ts'
import { FIRE_DEFERRED_SQL } from '../session/deferred-constraints.ts'
import { createHistorySql } from '../history/history-schema.ts'
import { lockKey } from '../lock/lock.ts'
import { outcomeOf } from '../run/ongoing-run.ts'
import { finishRunSql, headsOf, startRunSql } from '../history/run-record.ts'
import { segmentsOf } from '../plan/segments.ts'
import type { State } from '../history/state.ts'
import type { SqlStep, Step } from '../plan/step.ts'
import { earlyGuard, heldGuard, historyGuard, LATER_SETTING, lockGuard, questionGuard } from './guards.ts'
import { RESET, segmentText, type ScriptContext, type ScriptSegment } from './parts.ts'
import { comment, setText, setVariables } from './psql-text.ts'

/** A plan that becomes a script. */
export interface ScriptPlan {
  readonly database: string
  readonly action: 'up' | 'down'
  readonly current: string | null
  readonly target: string | null
  readonly hash: string
  readonly state: State
  readonly steps: readonly Step[]
  /** Whether the history tables exist. */
  readonly ready: boolean
}

type Context = Pick<EngineContext, 'schema' | 'set' | 'scope' | 'version' | 'clock'>

/**
 * The script that psql runs with the same result as the run itself: the same schema and the same history, under the same
 * lock, refused where the history is not what the plan saw. Pure.
 *
 * @throws LockstepError `SCRIPT_REFUSED` for what only Lockstep can run: code, and what was begun and cut off.
 */
export function psqlScript(context: Context, plan: ScriptPlan): string {
  const steps = sqlSteps(plan.steps)
  refuseBegun(plan.state)
  if (steps.length === 0) return `${titleOf(context, plan)}\n\\echo Lockstep: there is nothing to do.\n`
  const script = scriptContext(context, plan)
  const later = laterVariables(steps)
  const parts = [
    titleOf(context, plan),
    SETTINGS,
    `${RESET};`,
    `${lockGuard(script)};`,
    plan.ready ? null : `${createHistorySql(context.schema)};`,
    `${historyGuard(script, plan.state.applied)};`,
    ...requirements(steps, later),
    variables(script),
    `BEGIN;\n${startText(script, plan)};\nCOMMIT;`,
    ...segments(context, script, { ...plan, steps }, later).map((segment) => segmentText(script, segment)),
    setVariables(`pg_catalog.pg_advisory_unlock(${lockKey(context.schema, context.set)}) AS lockstep_unlocked`),
    `\\echo Lockstep: the plan ${plan.hash} is done.`,
  ]
  return `${parts.filter((part) => part !== null).join('\n\n')}\n`
}

function titleOf({ version, set }: Context, { action, database, current, target, hash }: ScriptPlan): string {
  return comment(
    [
      `Lockstep ${version}: ${action} on "${database}", set "${set}": ${current ?? 'base'} -> ${target ?? 'base'}. Plan ${hash}.`,
      'Run it with psql 14 or later: psql -X -f FILE URL. It does what Lockstep would do, history included, and refuses to',
      'begin when the history is not what the plan saw. It takes no snapshot, and what another session locks ends it: then',
      'the open transaction is rolled back, what was committed before stays, and the history says so; run "up" or plan again.',
    ].join('\n'),
  )
}

/** Whatever somebody has set for psql. */
const SETTINGS = `\\set ON_ERROR_STOP on
\\set ON_ERROR_ROLLBACK off
\\set AUTOCOMMIT on
\\set SINGLELINE off
\\set SINGLESTEP off
\\set FETCH_COUNT 0
\\encoding UTF8`

/** What comes again and again: between two migrations, so that each begins as if alone, and before each commit. */
function variables(script: ScriptContext): string {
  return [
    setText('lockstep_fire', FIRE_DEFERRED_SQL),
    setText('lockstep_reset', RESET),
    setText('lockstep_held', heldGuard(script)),
    setVariables('pg_catalog.gen_random_uuid() AS lockstep_run'),
  ].join('\n\n')
}

function scriptContext({ schema, set, version, clock }: Context, { database }: ScriptPlan): ScriptContext {
  return {
    database,
    schema,
    set,
    version,
    clock,
    trigger: 'cli',
    now: { sql: 'pg_catalog.clock_timestamp()' },
    runId: { sql: ":'lockstep_run'" },
    appliedBy: { sql: `session_user || ' (psql)'` },
  }
}

function sqlSteps(steps: readonly Step[]): readonly SqlStep[] {
  return steps.map((step) => {
    if (step.kind === 'sql') return step
    throw refused(step.id, `${step.migration.file} is code, which psql cannot run`)
  })
}

/** How far it has come is for a run to find out. */
function refuseBegun({ progress }: State): void {
  const [begun] = progress
  if (begun !== undefined) throw refused(begun.id, `the ${begun.direction} of ${begun.id} was begun and cut off`)
}

function refused(migration: string, why: string): LockstepError {
  return new LockstepError({
    code: 'SCRIPT_REFUSED',
    message: `There is no script of this plan: ${why}.`,
    state: UNTOUCHED,
    remedy: 'Run it with Lockstep. Up to the migration before it, --to may give a script.',
    migration,
  })
}

/** Of the steps whose requirements may ask for what an earlier one makes. */
function laterVariables(steps: readonly SqlStep[]): ReadonlyMap<string, string> {
  return new Map(
    steps.flatMap(({ id, require }, index) =>
      index > 0 && require.length > 0 ? [[id, `lockstep_later_${index + 1}`]] : [],
    ),
  )
}

function requirements(steps: readonly SqlStep[], later: ReadonlyMap<string, string>): readonly string[] {
  return steps
    .filter(({ require }) => require.length > 0)
    .map((step) => {
      const variable = later.get(step.id)
      const asked = `${comment(`What ${step.id} requires`)}\nBEGIN READ ONLY;\n${variable === undefined ? questionGuard(step, 'require') : earlyGuard(step)};\nCOMMIT;`
      if (variable === undefined) return asked
      const isLater = setVariables(
        `coalesce(pg_catalog.current_setting('${LATER_SETTING}', true), '') = 'on' AS ${variable}`,
      )
      return `${asked}\n${isLater}\nSET ${LATER_SETTING} = 'off';`
    })
}

function startText(script: ScriptContext, { action, state, hash }: ScriptPlan): string {
  const { runId } = script
  return startRunSql(script, {
    runId,
    requestId: null,
    action,
    fromHeads: headsOf(state.applied),
    details: { plan: hash, script: true },
  })
}

function segments(
  { scope }: Context,
  script: ScriptContext,
  plan: ScriptPlan & { readonly steps: readonly SqlStep[] },
  later: ReadonlyMap<string, string>,
): readonly ScriptSegment[] {
  const { action, state } = plan
  const all = segmentsOf(plan.steps, scope)
  const { toHeads, ...outcome } = outcomeOf({ planned: plan, continued: null })
  const end = { runId: script.runId, status: 'succeeded', toHeads, snapshot: null, error: null } as const
  let applied = state.applied.length
  let position = (state.applied.at(-1)?.position ?? 0) + 1
  return all.map((segment, index): ScriptSegment => {
    const steps = sqlSteps(segment.steps)
    const isLast = index === all.length - 1
    const closing = isLast ? finishRunSql(script, { ...end, details: { outcome } }) : null
    const found = { segment, steps, applied, position, later, closing }
    applied += action === 'up' ? steps.length : -steps.length
    position += steps.length
    return found
  })
}
