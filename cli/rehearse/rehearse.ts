import { engineContext, runRequest } from '../../lambda/actions.ts'
import type { PlanResult } from '../../lambda/plan-contract.ts'
import type { EngineContext } from '../../lambda/engine/context.ts'
import type { Gate } from '../../lambda/engine/policy/gate.ts'
import { plan } from '../../lambda/engine/inspect.ts'
import type { Lockstep } from '../../lambda/lockstep.ts'
import type { Material } from './material.ts'
import { play, type Play } from './play.ts'
import { setRelationPages } from './planner-statistics.ts'
import { createRecorder } from './recorder.ts'
import type { Rehearsal, RehearsalSource } from './rehearsal.ts'
import { openScratch, type Scratch } from './scratch.ts'
import { settler } from './settle.ts'
import { readSizes } from './sizes.ts'
import { snapshotMaterial } from './snapshot-material.ts'
import { structureMaterial } from './structure-material.ts'

export interface RehearseOptions {
  /** Uri of a snapshot, or `latest`. Null: the structure of the live database */
  readonly snapshot: string | null
  /** Whose latest snapshot. Null: of the only database in the store */
  readonly snapshotOf: string | null
  /** Whether the deployment would take a snapshot first, which its environment may demand. */
  readonly takesSnapshot: boolean
  /** Major version of the embedded server. Null: the original's */
  readonly major: number | null
  /** A scratch server to use. Null: an embedded one */
  readonly shadowUrl: string | null
  /** Leave the database there. */
  readonly keep: boolean
  readonly signal: AbortSignal
}

/**
 * Makes a copy of the database and runs the pending migrations there as a deployment would: up, down, up again.
 *
 * @throws LockstepError for everything that keeps it from being tried; what the migrations fail of is a result.
 */
export async function rehearse(lockstep: Lockstep, options: RehearseOptions): Promise<Rehearsal> {
  const began = performance.now()
  const finish = (found: Omit<Rehearsal, 'durationMs'>): Rehearsal => ({
    ...found,
    durationMs: Math.round(performance.now() - began),
  })
  const { snapshot } = options
  if (snapshot !== null) {
    const material = await snapshotMaterial(lockstep, snapshot, options.snapshotOf)
    return finish(await rehearseOn(lockstep, material, null, options))
  }
  const planned = await planOn(engineContext(lockstep), lockstep, options)
  if (planned.steps.length === 0)
    return finish({ ...NOTHING, ...foundIn(planned), source: await sourceOf(lockstep), scratch: null })
  return finish(await rehearseOn(lockstep, await structureMaterial(lockstep), planned, options))
}

type Found = Omit<Rehearsal, 'durationMs'>

const NOTHING = { passes: [], comparisons: [], notes: [] } as const

/** @param known - what the live database says of the run. Null: it is asked of the copy */
async function rehearseOn(
  lockstep: Lockstep,
  material: Material,
  known: PlanResult | null,
  options: RehearseOptions,
): Promise<Found> {
  const { log, config } = lockstep
  const { migrations } = runRequest(lockstep)
  const scratch = await openScratch(material, { ...options, migrations, workers: config.snapshotWorkers, log })
  const { server, database } = scratch
  let kept = false
  try {
    const context = { ...engineContext(lockstep), connect: () => server.connect(database) }
    const planned = known ?? (await planOn(context, lockstep, options))
    const played =
      planned.steps.length === 0 ? NOTHING : await playOn(scratch, material, { lockstep, context, options })
    kept = options.keep
    const found = foundIn(planned)
    return {
      source: material.source,
      scratch: { kind: server.isOwn ? 'embedded' : 'given', database, major: server.major, kept },
      ...found,
      ...played,
      notes: [...notesOf(material), ...scratch.notes],
      ok: planned.steps.length === 0 ? found.ok : hasSucceeded(played),
    }
  } finally {
    await scratch.remove(kept)
  }
}

function foundIn({ steps, problems, warnings }: PlanResult): Pick<Found, 'pending' | 'problems' | 'warnings' | 'ok'> {
  return { pending: steps.map(({ id }) => id), problems, warnings, ok: problems.length === 0 }
}

function hasSucceeded({ passes, comparisons }: Play): boolean {
  return passes.every(({ status }) => status !== 'failed') && comparisons.every(({ same }) => same)
}

/** What the run would do, and what its environment says of it. */
async function planOn(context: EngineContext, lockstep: Lockstep, options: RehearseOptions): Promise<PlanResult> {
  const { migrations, gate = null } = runRequest(lockstep)
  const snapshot = options.takesSnapshot ? 'logical' : 'none'
  // Whether somebody has changed the original cannot be seen on a copy of it.
  const asked = gate === null || options.snapshot === null ? gate : withoutDrift(gate)
  return plan(context, { migrations, gate: asked, snapshot, sql: false })
}

function withoutDrift(gate: Gate): Gate {
  return { ...gate, policy: { ...gate.policy, policy: { ...gate.policy.policy, onDrift: 'ignore' } } }
}

async function playOn(
  { server, database, session: inspection }: Scratch,
  material: Material,
  {
    lockstep,
    context,
    options: { signal },
  }: { readonly lockstep: Lockstep; readonly context: EngineContext; readonly options: RehearseOptions },
): Promise<Play> {
  const { historySchema } = lockstep.config
  const { live } = material
  return play({
    recorder: createRecorder({ server, database, historySchema }, inspection),
    context,
    sizes: live?.sizes ?? (await readSizes(inspection, database, historySchema)),
    hasRows: live === null,
    migrations: runRequest(lockstep).migrations,
    inspection,
    // Roles that turn out to be missing are made on the way.
    scope: { major: server.major, historySchema, withCluster: server.isOwn && live !== null },
    // Where the user may not, a note says so already.
    refresh: async () => setRelationPages(inspection, live?.pages ?? []).catch(() => {}),
    settle: settler(server, { makesRoles: live === null, signal }),
    log: lockstep.log,
    signal,
  })
}

async function sourceOf(lockstep: Lockstep): Promise<RehearsalSource> {
  const connection = await lockstep.connect()
  try {
    const { rows } = await connection.query(`SELECT pg_catalog.current_setting('server_version') AS version`)
    const [database, serverVersion] = [await lockstep.databaseName(), String(rows[0]?.version)]
    return {
      kind: 'structure',
      database,
      uri: null,
      at: lockstep.clock.now().toISOString(),
      serverVersion,
      withoutRows: null,
    }
  } finally {
    await connection.close()
  }
}

const NAMED = 5

function notesOf({ source: { kind, withoutRows } }: Material): readonly string[] {
  if (kind === 'structure') {
    return [
      'The tables were empty: what was measured is the time on empty tables, and "about" is estimated from the sizes of the live ones.',
      'What is demanded of rows (require, verify, NOT NULL, UNIQUE, CHECK, foreign keys) was asked of empty tables; large objects were left out.',
    ]
  }
  const named = withoutRows ?? []
  if (named.length === 0) return []
  const more = named.length > NAMED ? ` and ${named.length - NAMED} more` : ''
  return [
    `The snapshot holds no rows of ${named.slice(0, NAMED).join(', ')}${more}: on these, statements met empty tables.`,
  ]
}
