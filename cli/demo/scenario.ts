import { perform } from '../../lambda/actions.ts'
import { compose } from '../../lambda/compose.ts'
import type { HistoryResult, RunResult, SnapshotListing, StatusResult } from '../../lambda/contract.ts'
import type { Lockstep } from '../../lambda/lockstep.ts'
import { listSnapshots } from '../../lambda/snapshot/snapshot.ts'
import { silentLog } from '../../lambda/log.ts'
import { DEFAULT_SETTINGS } from '../options.ts'
import { configOf } from '../settings.ts'
import { readSchema, type SchemaDump } from './schema-dump.ts'
import { openWorkspace, type Workspace } from './workspace.ts'

/** One scene, told as it happens. */
export type Scene =
  | { readonly kind: 'server'; readonly version: string; readonly durationMs: number }
  | { readonly kind: 'title'; readonly title: string }
  | { readonly kind: 'status'; readonly status: StatusResult; readonly history: HistoryResult }
  | { readonly kind: 'deployment'; readonly deployment: Deployment }

/** A run, and what the demonstration looked at beside it. */
export interface Deployment {
  /** Directory of the migration files. */
  readonly migrations: string
  readonly run: RunResult
  readonly snapshot: SnapshotListing | null
  /** Only where a failure must have changed nothing. */
  readonly schema: { readonly before: SchemaDump; readonly after: SchemaDump } | null
}

/** Everything that happened, for those who look at the end. */
export interface Demonstration {
  readonly before: StatusResult
  readonly after: StatusResult
  readonly deployments: readonly Deployment[]
}

/** Deploys the example set three times with the function's own code: all of it, nothing new, and one that fails. */
export async function demonstrate(tell: (scene: Scene) => void): Promise<Demonstration> {
  const began = performance.now()
  const workspace = await openWorkspace()
  try {
    const lockstep = lockstepOf(workspace, workspace.migrations)
    const { serverVersion } = await perform(lockstep, { action: 'health' })
    tell({ kind: 'server', version: serverVersion, durationMs: performance.now() - began })
    const before = await tellStatus(lockstep, 'Status before', tell)
    const first = await deploy(lockstep, 'Deployment 1: everything is new', tell)
    const after = await tellStatus(lockstep, 'Status after', tell)
    const second = await deploy(lockstep, 'Deployment 2: nothing has changed', tell)
    const failing = lockstepOf(workspace, workspace.withFailure)
    const third = await deploy(failing, 'Deployment 3: one more migration, which fails in the middle', tell, true)
    return { before, after, deployments: [first, second, third] }
  } finally {
    await workspace.close()
  }
}

function lockstepOf(workspace: Workspace, migrations: string): Lockstep {
  const settings = { ...DEFAULT_SETTINGS, migrations, snapshots: workspace.snapshots }
  const command = {
    request: { action: 'up' },
    settings,
    takeSnapshot: true,
    onFailure: 'revert',
    exitOnPending: false,
  } as const
  return compose(configOf(command, workspace.database.url), silentLog)
}

async function tellStatus(lockstep: Lockstep, title: string, tell: (scene: Scene) => void): Promise<StatusResult> {
  tell({ kind: 'title', title })
  const status = await perform(lockstep, { action: 'status' })
  tell({ kind: 'status', status, history: await perform(lockstep, { action: 'history' }) })
  return status
}

async function deploy(
  lockstep: Lockstep,
  title: string,
  tell: (scene: Scene) => void,
  comparesSchema = false,
): Promise<Deployment> {
  tell({ kind: 'title', title })
  const schemaNow = async (): Promise<SchemaDump | null> => (comparesSchema ? readSchema(lockstep.snapshots()) : null)
  const before = await schemaNow()
  const run = await perform(lockstep, { action: 'up' })
  const after = await schemaNow()
  const stored = await listSnapshots(lockstep.snapshots())
  const snapshot = stored.find((listing) => listing.uri === run.snapshot) ?? null
  const migrations = lockstep.config.migrations.directory
  const deployment = { migrations, run, snapshot, schema: before !== null && after !== null ? { before, after } : null }
  tell({ kind: 'deployment', deployment })
  return deployment
}
