import { randomUUID } from 'node:crypto'
import type {
  HealthResult,
  HistoryResult,
  InitResult,
  RunResult,
  SnapshotListing,
  SnapshotResult,
  StatusResult,
  Trigger,
} from './contract.ts'
import type { RunDriftResult } from './drift-contract.ts'
import { drift } from './engine/drift/drift.ts'
import type { PlanResult } from './plan-contract.ts'
import type { IncompleteSnapshot, RestoreResult, VerifyResult } from './snapshot-contract.ts'
import type { EngineContext } from './engine/context.ts'
import type { Gate } from './engine/policy/gate.ts'
import { history, plan, status } from './engine/inspect.ts'
import { migrateDown, migrateUp, type RunRequest } from './engine/run/migrate.ts'
import type { DownTarget } from './engine/plan/plan-down.ts'
import type { Step } from './engine/plan/step.ts'
import { storedArchive } from './stored-archive.ts'
import { health, initialise } from './initialise.ts'
import type { Lockstep } from './lockstep.ts'
import { restoreFor } from './restore-for.ts'
import { snapshotSetting } from './snapshot-settings.ts'
import { restoreOnDemand, type RestoreRequest } from './restore-on-demand.ts'
import { snapshotFor, takeManualSnapshot, type ManualSnapshot } from './snapshot-for.ts'
import { estimateFor } from './snapshot-time.ts'
import {
  allSnapshots,
  incompleteSnapshots,
  type StorageSnapshotListing,
  type StorageSnapshotResult,
} from './storage-snapshots.ts'
import { verifySnapshot } from './snapshot/verify.ts'
import { VERSION } from './version.ts'

export type { DownTarget } from './engine/plan/plan-down.ts'

/** A parsed request: the one vocabulary of the event, the CLI and the API. */
export type ActionRequest =
  | { readonly action: 'init' }
  | { readonly action: 'status' }
  | { readonly action: 'current' }
  | { readonly action: 'history' }
  | { readonly action: 'pending' }
  | {
      readonly action: 'plan'
      readonly to?: string
      readonly down?: DownTarget
      /** Whether each step says its SQL. */
      readonly sql: boolean
      /** Whether the script for psql is wanted. @default false */
      readonly script?: boolean
    }
  | ({ readonly action: 'up'; readonly to?: string } & RunOrder)
  | ({ readonly action: 'down'; readonly target: DownTarget; readonly confirm?: string } & RunOrder)
  | ({ readonly action: 'snapshot' } & ManualSnapshot)
  | { readonly action: 'snapshots' }
  | ({ readonly action: 'restore' } & RestoreRequest)
  | { readonly action: 'verify'; readonly uri: string }
  | { readonly action: 'health' }
  | { readonly action: 'drift' }

interface RunOrder {
  readonly requestId?: string
  /** The hash of the plan that the run must be. */
  readonly plan?: string
}

/** The result of every action, by its name. */
export interface ActionResults {
  readonly init: InitResult
  readonly status: StatusResult
  readonly current: { readonly current: string | null }
  readonly history: HistoryResult
  readonly pending: { readonly pending: readonly string[] }
  readonly plan: PlanResult
  readonly up: RunResult
  readonly down: RunResult
  readonly snapshot: SnapshotResult | StorageSnapshotResult
  readonly snapshots: {
    readonly snapshots: readonly (SnapshotListing | StorageSnapshotListing)[]
    readonly incomplete: readonly IncompleteSnapshot[]
  }
  readonly restore: RestoreResult
  readonly verify: VerifyResult
  readonly health: HealthResult
  readonly drift: RunDriftResult
}

/**
 * Does what is asked. `up` and `down` give a failed run as a result (`status: 'failed'`, with `error`); everything else
 * that cannot be done throws.
 *
 * @throws LockstepError
 */
export async function perform<R extends ActionRequest>(
  lockstep: Lockstep,
  request: R,
): Promise<ActionResults[R['action']]> {
  return (await dispatch(lockstep, request)) as ActionResults[R['action']]
}

async function dispatch(lockstep: Lockstep, request: ActionRequest): Promise<ActionResults[ActionRequest['action']]> {
  const context = engineContext(lockstep)
  switch (request.action) {
    case 'init':
      return initialise(lockstep)
    case 'status':
      return status(context, lockstep.readMigrations())
    case 'current':
      return { current: (await status(context, lockstep.readMigrations())).current }
    case 'pending':
      return { pending: (await status(context, lockstep.readMigrations())).pending }
    case 'history':
      return history(context)
    case 'plan': {
      const { action: _action, ...wanted } = request
      const { migrations, archive, gate } = runRequest(lockstep)
      const { snapshotMode: snapshot } = lockstep.config
      const estimate = snapshot === 'logical' ? (steps: readonly Step[]) => estimateFor(lockstep, steps) : null
      const snapshotRows = snapshotSetting(lockstep.config).rows
      const common = { migrations, archive: archive ?? null, gate: gate ?? null, snapshot, snapshotRows, estimate }
      return plan(context, { ...wanted, ...common })
    }
    case 'up': {
      const to = request.to === undefined ? {} : { to: request.to }
      return migrateUp(context, { ...orderedRun(lockstep, request), ...to })
    }
    case 'down':
      return migrateDown(context, {
        ...orderedRun(lockstep, request),
        target: request.target,
        gate: gateOf(lockstep, request.confirm),
      })
    case 'snapshot':
      return takeManualSnapshot(lockstep, randomUUID(), request)
    case 'snapshots':
      return { snapshots: await allSnapshots(lockstep), incomplete: await incompleteSnapshots(lockstep) }
    case 'restore':
      return restoreOnDemand(lockstep, request)
    case 'verify':
      return verifySnapshot(lockstep.snapshots(), request.uri)
    case 'health':
      return health(lockstep, context)
    case 'drift':
      return drift(context)
    default:
      return request satisfies never
  }
}

/** The engine's view of a composition. @param trigger - who started the run. @default the configuration's */
export function engineContext(lockstep: Lockstep, trigger: Trigger = lockstep.config.trigger): EngineContext {
  const { config, clock, log } = lockstep
  return {
    connect: () => lockstep.connect(),
    set: config.set,
    schema: config.historySchema,
    scope: config.transaction,
    trigger,
    appliedBy: config.appliedBy,
    version: VERSION,
    lockTimeoutMs: config.lockTimeoutMs,
    connectTimeoutMs: config.connectTimeoutMs,
    remainingMs: lockstep.remainingMs,
    shouldPause: lockstep.shouldPause,
    newRunId: randomUUID,
    clock,
    log,
  }
}

function gateOf(lockstep: Lockstep, confirm: string | null = null): Gate {
  return { policy: lockstep.policy(), analysis: lockstep.readAnalysis(), confirm }
}

function orderedRun(lockstep: Lockstep, { requestId, plan: hash }: RunOrder): RunRequest {
  const plan = hash === undefined ? null : { hash, snapshot: snapshotSetting(lockstep.config) }
  return { ...runRequest(lockstep, requestId), plan }
}

/** What every run of a composition has in common: its files, its snapshot and its signal. */
export function runRequest(lockstep: Lockstep, requestId: string | null = null): RunRequest {
  return {
    migrations: lockstep.readMigrations(),
    requestId,
    archive: lockstep.config.snapshots === null ? null : storedArchive(lockstep.snapshots().store),
    takeSnapshot: snapshotFor(lockstep),
    restoreSnapshot: lockstep.config.onFailure === 'restore' ? restoreFor(lockstep) : null,
    gate: gateOf(lockstep),
    ...(lockstep.signal === undefined ? {} : { signal: lockstep.signal }),
  }
}
