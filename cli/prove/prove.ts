import type { CatalogScope } from '../catalog/read-catalog.ts'
import type { MigrationGraph, Node } from '../../lambda/engine/migration-graph.ts'
import { loadParser } from '../../lambda/engine/statements.ts'
import { downStep, upStep, type Step } from '../../lambda/engine/step.ts'
import { reportOf, type LockstepError } from '../../lambda/errors.ts'
import { extensionError, missingExtension } from '../shadow/missing-extension.ts'
import { makeMissingRole, type ShadowDatabase, type ShadowDatabaseOptions } from '../shadow/shadow-database.ts'
import type { Shadow } from '../shadow/shadow.ts'
import type { Proof } from './proof.ts'
import { sowerOf, type Seed, type SeedProblem, type Sower } from './seed.ts'
import { readMoment, tryCommitted, tryInTransaction, type Before, type Moment, type Trial } from './trial.ts'
import { touchedTables } from './rows.ts'
import { judge, messageOf } from './verdict.ts'

export interface ProveOptions {
  readonly graph: MigrationGraph
  readonly seed: Seed
  /** Which migrations to prove; the others are applied only. */
  readonly isWanted: (id: string) => boolean
  readonly database?: ShadowDatabaseOptions
}

export interface Proofs {
  /** In the order of the set; of those that were asked for, up to where it had to stop. */
  readonly proofs: readonly Proof[]
  readonly seedProblems: readonly SeedProblem[]
  /** Why it had to stop: an extension that the server does not have. Null: it did not. */
  readonly stopped: LockstepError | null
}

/** A database on its way through the set. */
interface Place {
  readonly database: ShadowDatabase
  readonly sower: Sower
}

/** Proves migrations one after the other: up, down, compare with before, up again, compare with after. */
export async function prove(shadow: Shadow, options: ProveOptions): Promise<Proofs> {
  await loadParser()
  const { graph, isWanted } = options
  const { ordered } = graph
  const proofs: Proof[] = []
  const scope = scopeOf(shadow, options)
  let stopped: LockstepError | null = null
  let place = await openPlace(shadow, options)
  let now = await readMoment(place.database, scope, null)
  const last = ordered.findLastIndex(({ migration }) => isWanted(migration.id))
  for (const [index, node] of ordered.slice(0, last + 1).entries()) {
    const { id } = node.migration
    const applied = await applyFirst(place, scope, node, now)
    if (applied.kind === 'extension') {
      stopped = extensionError(applied.extension, id)
      break
    }
    if (applied.kind === 'failed') {
      const notReached = ordered.slice(index + 1).map((later) => broken(later.migration.id, notReachedDetail(id)))
      proofs.push(...[broken(id, applied.detail), ...notReached].filter((proof) => isWanted(proof.id)))
      break
    }
    const before: Before = { beforeUp: now, afterUp: applied.moment }
    now = applied.moment
    if (!isWanted(id)) continue
    const { proof, isSpoilt } = await proveOne(shadow, place, scope, { node, up: applied.up, before })
    proofs.push(proof)
    if (!isSpoilt || index === last) continue
    place = await rebuild(shadow, options, place, ordered.slice(0, index + 1))
    now = await readMoment(place.database, scope, null)
  }
  await place.database.close()
  return { proofs, seedProblems: place.sower.problems(), stopped }
}

function scopeOf({ server }: Shadow, { database }: ProveOptions): CatalogScope {
  return { major: server.major, historySchema: database?.historySchema ?? 'lockstep', withCluster: server.isOwn }
}

async function openPlace(shadow: Shadow, { seed, database }: ProveOptions): Promise<Place> {
  return { database: await shadow.open(database), sower: sowerOf(seed) }
}

type Applied =
  | { readonly kind: 'applied'; readonly up: Step; readonly moment: Moment }
  | { readonly kind: 'failed'; readonly detail: string }
  | { readonly kind: 'extension'; readonly extension: string }

async function applyFirst({ database, sower }: Place, scope: CatalogScope, node: Node, now: Moment): Promise<Applied> {
  const up = readyOr(() => upStep(node))
  if (typeof up === 'string') return { kind: 'failed', detail: up }
  let touched: ReadonlySet<string> | null = null
  try {
    await database.apply(up, async () => {
      touched = await touchedTables(database.connection)
    })
  } catch (error) {
    const extension = missingExtension(error)
    if (extension !== null) return { kind: 'extension', extension }
    return { kind: 'failed', detail: `The up fails: ${messageOf(error)}` }
  }
  const hasSown = await sower.sow(database.connection, node.migration.id)
  return { kind: 'applied', up, moment: await readMoment(database, scope, now, hasSown ? null : touched) }
}

/** The step, or why there is none. */
function readyOr(make: () => Step): Step | string {
  try {
    return make()
  } catch (error) {
    return reportOf(error).message
  }
}

function notReachedDetail(failed: string): string {
  return `It is not reached: the up of ${failed} fails.`
}

function broken(id: string, detail: string): Proof {
  return { id, verdict: 'broken', detail, differences: [] }
}

interface Proven {
  readonly proof: Proof
  /** Whether the database is no longer as the first up has left it. */
  readonly isSpoilt: boolean
}

async function proveOne(
  shadow: Shadow,
  { database }: Place,
  scope: CatalogScope,
  { node, up, before }: { readonly node: Node; readonly up: Step; readonly before: Before },
): Promise<Proven> {
  const { migration } = node
  const { id, directives } = migration
  if (directives.irreversible !== null) {
    return { proof: { id, verdict: 'irreversible', detail: directives.irreversible, differences: [] }, isSpoilt: false }
  }
  if (migration.down === null) {
    const detail = 'It has no down, and does not declare "-- lockstep:irreversible <reason>".'
    return { proof: broken(id, detail), isSpoilt: false }
  }
  const down = readyOr(() => downStep(migration))
  if (typeof down === 'string')
    return { proof: { id, verdict: 'broken', detail: down, differences: [] }, isSpoilt: false }
  const { trial, isCommitted } = await tryOut(shadow, database, scope, { up, down }, before)
  const proof = { id, ...judge(before, trial) }
  return { proof, isSpoilt: isCommitted && proof.verdict !== 'proven' }
}

async function tryOut(
  shadow: Shadow,
  database: ShadowDatabase,
  scope: CatalogScope,
  steps: { readonly up: Step; readonly down: Step },
  before: Before,
): Promise<{ readonly trial: Trial; readonly isCommitted: boolean }> {
  if (steps.up.transactional && steps.down.transactional) {
    let trial = await tryInTransaction(database, scope, steps, before)
    while (trial.kind !== 'done' && (await makeMissingRole(shadow.server, trial.error)))
      trial = await tryInTransaction(database, scope, steps, before)
    // What fails in one transaction may pass in two, as in life: a new enum value is used only after its commit.
    if (trial.kind !== 'up-failed') return { trial, isCommitted: false }
  }
  return { trial: await tryCommitted(database, scope, steps, before), isCommitted: true }
}

/** Begins anew and applies the migrations again, where a trial has left another database than the first up. */
async function rebuild(
  shadow: Shadow,
  options: ProveOptions,
  { database }: Place,
  nodes: readonly Node[],
): Promise<Place> {
  await database.close()
  await shadow.server.dropDatabase(database.name)
  await shadow.server.dropRolesOfMigrations()
  const place = await openPlace(shadow, options)
  for (const node of nodes) {
    await place.database.apply(upStep(node))
    await place.sower.sow(place.database.connection, node.migration.id)
  }
  return place
}
