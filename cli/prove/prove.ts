import { forgetPrepared, type CatalogScope } from '../catalog/read-catalog.ts'
import { DEFAULT_HISTORY_SCHEMA } from '../../lambda/config.ts'
import type { MigrationGraph, Node } from '../../lambda/engine/plan/migration-graph.ts'
import { loadParser } from '../../lambda/engine/migration/statements.ts'
import { upStep } from '../../lambda/engine/plan/step.ts'
import { StepError } from '../../lambda/engine/failure/failure.ts'
import { LockstepError } from '../../lambda/errors.ts'
import { extensionError, missingExtension } from '../shadow/missing-extension.ts'
import type { ShadowDatabase, ShadowDatabaseOptions } from '../shadow/shadow-database.ts'
import type { Shadow } from '../shadow/shadow.ts'
import { repeatablesOf } from '../shadow/replay.ts'
import type { Proof } from './proof.ts'
import { brokenProof, isTried, proveOne, stepOr, worseOf, type TrialRoom } from './prove-one.ts'
import { proveRepeatables } from './prove-repeatable.ts'
import { sowerOf, type Seed, type SeedProblem, type Sower } from './seed.ts'
import { noteStep, readMoment, type Moment } from './trial.ts'
import { messageOf } from './verdict.ts'

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
  const trials: TrialRoom = { shadow, scope: scopeOf(shadow, options) }
  let stopped: LockstepError | null = null
  let place = await openPlace(shadow, options)
  let now = await readMoment(place.database, trials.scope, null)
  const repeatables = repeatablesOf(graph)
  const withRepeatables = repeatables.some(({ migration }) => isWanted(migration.id))
  const lastWanted = ordered.findLastIndex(({ migration }) => isWanted(migration.id))
  const last = withRepeatables ? ordered.length - 1 : lastWanted
  let isWhole = true
  for (const [index, node] of ordered.slice(0, last + 1).entries()) {
    const { id } = node.migration
    const applied = await applyFirst(place, trials, node, now)
    if (applied.kind === 'extension') {
      stopped = extensionError(applied.extension, id)
      isWhole = false
      break
    }
    if (applied.kind === 'failed') {
      const later = [...ordered.slice(index + 1), ...repeatables]
      const notReached = later.map(({ migration }) => brokenProof(migration.id, notReachedDetail(id)))
      isWhole = false
      proofs.push(...[brokenProof(id, applied.detail), ...notReached].filter((proof) => isWanted(proof.id)))
      break
    }
    const again = async (withLast: boolean): Promise<void> => {
      place = await emptied(shadow, options, place)
      stopped = await replayAll(place, { nodes: ordered.slice(0, index + 1), withLast })
      if (stopped === null) now = await readMoment(place.database, trials.scope, null)
    }
    const before = now
    now = applied.moment
    let proven = isWanted(id) ? await proveOne(trials, place.database, node, { beforeUp: before, afterUp: now }) : null
    if (proven?.left === null) await again(false)
    else now = proven?.left ?? now
    if (stopped === null && (await place.sower.sow(place.database.connection, id))) {
      forgetPrepared(place.database.connection)
      now = await readMoment(place.database, trials.scope, now)
      if (proven !== null && isTried(proven.proof)) {
        const sown = await proveOne(trials, place.database, node, { beforeUp: before, afterUp: now, isSown: true })
        proven = { ...sown, proof: worseOf(proven.proof, sown.proof) }
        if (proven.left !== null) now = proven.left
        else if (index < last || withRepeatables) await again(true)
      }
    }
    if (proven !== null) proofs.push(proven.proof)
    isWhole = stopped === null
    if (!isWhole) break
  }
  if (isWhole && withRepeatables) {
    const last = await proveRepeatables(place.database, trials.scope, repeatables, now)
    proofs.push(...last.proofs.filter(({ id }) => isWanted(id)))
    stopped = last.stopped
  }
  await place.database.close()
  return { proofs, seedProblems: place.sower.problems(), stopped }
}

function scopeOf({ server }: Shadow, { database }: ProveOptions): CatalogScope {
  const historySchema = database?.historySchema ?? DEFAULT_HISTORY_SCHEMA
  return { major: server.major, historySchema, withCluster: server.isOwn }
}

async function openPlace(shadow: Shadow, { seed, database }: ProveOptions): Promise<Place> {
  return { database: await shadow.open(database), sower: sowerOf(seed) }
}

type Applied =
  | { readonly kind: 'applied'; readonly moment: Moment }
  | { readonly kind: 'failed'; readonly detail: string }
  | { readonly kind: 'extension'; readonly extension: string }

async function applyFirst({ database }: Place, { scope }: TrialRoom, node: Node, now: Moment): Promise<Applied> {
  const up = stepOr(() => upStep(node))
  if (typeof up === 'string') return { kind: 'failed', detail: up }
  let moment: Moment | null = null
  try {
    await database.apply(up, async () => {
      noteStep(database, up)
      moment = await readMoment(database, scope, now, now)
    })
  } catch (error) {
    const extension = missingExtension(error)
    if (extension !== null) return { kind: 'extension', extension }
    return { kind: 'failed', detail: `The up fails: ${messageOf(error)}` }
  }
  noteStep(database, up)
  return { kind: 'applied', moment: moment ?? (await readMoment(database, scope, now)) }
}

function notReachedDetail(failed: string): string {
  return `It is not reached: the up of ${failed} fails.`
}

/** Begins anew, where a trial has left another database than the first up. */
async function emptied(shadow: Shadow, options: ProveOptions, { database }: Place): Promise<Place> {
  await database.close()
  await shadow.server.dropDatabase(database.name)
  await shadow.server.dropLeftovers()
  return openPlace(shadow, options)
}

/** Applies the migrations again. Gives why that cannot be done. */
async function replayAll(
  { database, sower }: Place,
  { nodes, withLast }: { readonly nodes: readonly Node[]; readonly withLast: boolean },
): Promise<LockstepError | null> {
  for (const [index, node] of nodes.entries()) {
    try {
      await database.apply(upStep(node))
    } catch (error) {
      if (!(error instanceof StepError)) throw error
      return notRepeatable(node.migration.id, error)
    }
    if (withLast || index < nodes.length - 1) await sower.sow(database.connection, node.migration.id)
  }
  return null
}

function notRepeatable(id: string, error: StepError): LockstepError {
  return new LockstepError({
    code: 'MIGRATION_FAILED',
    message: `What comes next cannot be proven: on an empty database of the same server, ${id} fails the second time. ${messageOf(error)}`,
    state: 'The database has not been touched; what is tried, is tried on a server of its own.',
    remedy:
      'What it makes outside of its database is still there from the first time: prove the migrations after it with --only or --pending, or let it make only what is missing.',
    migration: id,
    cause: error,
  })
}
