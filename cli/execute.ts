import { writeFile } from 'node:fs/promises'
import { basename, isAbsolute, relative } from 'node:path'
import { perform } from '../lambda/actions.ts'
import type { HealthResult, InitResult, RunResult, StatusResult } from '../lambda/contract.ts'
import { errorOf } from '../lambda/errors.ts'
import type { Lockstep } from '../lambda/lockstep.ts'
import type { PlanResult } from '../lambda/plan-contract.ts'
import { EXIT, type Outcome } from './exit.ts'
import { takeStatistics } from './lint/statistics.ts'
import { renderRunDrift } from './render/drift.ts'
import { renderHistory } from './render/history.ts'
import { renderPlan } from './render/plan.ts'
import { renderPlanMarkdown } from './render/markdown/plan.ts'
import { renderRun, type RunView } from './render/run.ts'
import { renderRestore, renderSnapshot, renderSnapshots, renderVerify } from './render/snapshots.ts'
import { renderStatus } from './render/status.ts'
import type { Style } from './render/style.ts'
import type { Command } from './settings.ts'

export interface View extends RunView {
  readonly style: Style
}

/**
 * Does what the command asks, with the same code as the function.
 *
 * @throws LockstepError
 */
export async function execute(lockstep: Lockstep, command: Command, view: View): Promise<Outcome> {
  const { request } = command
  const { style } = view
  switch (request.action) {
    case 'status':
      return status(lockstep, command, style)
    case 'plan': {
      const plan = await perform(lockstep, request)
      return outcome(plan, textOfPlan(plan, command, style), planExit(plan))
    }
    case 'up':
    case 'down': {
      const run: RunResult = await perform(lockstep, request)
      return outcome(run, renderRun(run, style, view), run.status === 'succeeded' ? EXIT.done : EXIT.failed)
    }
    case 'history': {
      const history = await perform(lockstep, request)
      return outcome(history, renderHistory(history, style))
    }
    case 'current': {
      const result = await perform(lockstep, request)
      return outcome(result, result.current ?? 'none')
    }
    case 'pending': {
      const result = await perform(lockstep, request)
      return outcome(result, result.pending.length === 0 ? 'Nothing is pending.' : result.pending.join('\n'))
    }
    case 'snapshot': {
      const snapshot = await perform(lockstep, request)
      return outcome(snapshot, renderSnapshot(snapshot, style))
    }
    case 'snapshots': {
      const result = await perform(lockstep, request)
      return outcome(result, renderSnapshots(result.snapshots, result.incomplete, style))
    }
    case 'restore': {
      const restore = await perform(lockstep, request)
      return outcome(restore, renderRestore(restore, style))
    }
    case 'verify': {
      const verified = await perform(lockstep, request)
      return outcome(verified, renderVerify(verified, style), verified.status === 'intact' ? EXIT.done : EXIT.failed)
    }
    case 'init': {
      const init = await perform(lockstep, request)
      return outcome(init, initText(init))
    }
    case 'health': {
      const health = await perform(lockstep, request)
      return outcome(health, healthText(health), health.healthy ? EXIT.done : EXIT.failed)
    }
    case 'drift': {
      const drift = await perform(lockstep, request)
      return outcome(drift, renderRunDrift(drift, style), drift.differences.length > 0 ? EXIT.failed : EXIT.done)
    }
    default:
      return request satisfies never
  }
}

/** @throws LockstepError where there is no script: nothing is printed rather than a half one. */
function textOfPlan(plan: PlanResult, { settings, format }: Command, style: Style): string {
  if (format === 'markdown') return renderPlanMarkdown(plan, { directory: withinRepository(settings.migrations) })
  const { script } = plan
  if (script === undefined || settings.json) return renderPlan(plan, style)
  if (script.refused !== null) throw errorOf(script.refused)
  return script.sql
}

/** A comment tells nothing of the machine that it was made on. */
function withinRepository(directory: string): string {
  const path = relative('.', directory)
  return path.startsWith('..') || isAbsolute(path) ? basename(directory) : path
}

function outcome(document: unknown, text: string, exitCode: number = EXIT.done): Outcome {
  return { document, text, exitCode }
}

async function status(lockstep: Lockstep, command: Command, style: Style): Promise<Outcome> {
  const result = await perform(lockstep, { action: 'status' })
  if (command.statistics !== undefined) await writeStatistics(lockstep, command.statistics)
  const exitCode = command.exitOnPending ? statusExit(result) : EXIT.done
  if (command.settings.json) return outcome(result, '', exitCode)
  const history = await perform(lockstep, { action: 'history' })
  return outcome(result, renderStatus(result, history, style), exitCode)
}

async function writeStatistics(lockstep: Lockstep, file: string): Promise<void> {
  const connection = await lockstep.connect()
  try {
    const { historySchema: history } = lockstep.config
    const statistics = await takeStatistics(connection, { database: await lockstep.databaseName(), history })
    await writeFile(file, `${JSON.stringify(statistics, null, 2)}\n`)
  } finally {
    await connection.close()
  }
}

function statusExit({ pending, problems }: StatusResult): number {
  if (pending.length > 0) return EXIT.pending
  return problems.length > 0 ? EXIT.failed : EXIT.done
}

/** A plan that a run would refuse fails, so that a pipeline can ask before it deploys. */
function planExit({ problems }: PlanResult): number {
  return problems.length > 0 ? EXIT.failed : EXIT.done
}

function initText({ database, createdDatabase, createdHistory }: InitResult): string {
  const created = [...(createdDatabase ? ['the database'] : []), ...(createdHistory ? ['the history'] : [])]
  return created.length === 0
    ? `"${database}" is ready: nothing was missing.`
    : `"${database}" is ready: created ${created.join(' and ')}.`
}

function healthText(health: HealthResult): string {
  const state = health.healthy ? 'healthy' : 'not healthy'
  const migrations = health.upToDate ? 'up to date' : 'not up to date'
  return `"${health.database}" is ${state}: PostgreSQL ${health.serverVersion}, ${migrations}, Lockstep ${health.lockstepVersion}.`
}
