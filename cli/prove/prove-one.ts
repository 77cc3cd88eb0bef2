import { VERDICTS } from '../../lambda/analysis-contract.ts'
import type { Node } from '../../lambda/engine/plan/migration-graph.ts'
import { downStep, upStep, type Step } from '../../lambda/engine/plan/step.ts'
import { reportOf } from '../../lambda/errors.ts'
import type { CatalogScope } from '../catalog/read-catalog.ts'
import { makeMissingRole, type ShadowDatabase } from '../shadow/shadow-database.ts'
import type { Shadow } from '../shadow/shadow.ts'
import type { Proof } from './proof.ts'
import { tryCommitted, tryInTransaction, type Before, type Moment, type Steps, type Trial } from './trial.ts'
import { unseenLosses } from './unseen-losses.ts'
import { isRestored, judge } from './verdict.ts'

/** Where trials are held. */
export interface TrialRoom {
  readonly shadow: Shadow
  readonly scope: CatalogScope
}

export interface Proven {
  readonly proof: Proof
  /** What the database is like now: as the first up has left it, or the same made anew. Null: it is something else. */
  readonly left: Moment | null
}

/** Reverts and applies again what was just applied, and says what that shows. */
export async function proveOne(room: TrialRoom, database: ShadowDatabase, node: Node, before: Before): Promise<Proven> {
  const { migration } = node
  const { id, directives } = migration
  if (directives.irreversible !== null) {
    return {
      proof: { id, verdict: 'irreversible', detail: directives.irreversible, differences: [] },
      left: before.afterUp,
    }
  }
  const down = migration.down === null ? NO_DOWN : stepOr(() => downStep(migration))
  if (typeof down === 'string') return { proof: brokenProof(id, down), left: before.afterUp }
  const up = upStep(node)
  const { trial, isCommitted } = await tryOut(room, database, { up, down }, before)
  const unseen = before.isSown === true ? [] : unseenLosses(up, before.beforeUp, before.afterUp)
  const proof = { id, ...judge(before, trial, { unseen, roles: room.shadow.server.madeRoles() }) }
  // A migration may end its own session, and with it the transaction of the trial.
  if (!isCommitted) return { proof, left: database.connection.isOpen() ? before.afterUp : null }
  return { proof, left: proof.verdict === 'proven' && trial.kind === 'done' ? trial.afterUp : null }
}

const NO_DOWN = 'It has no down, and does not declare "-- lockstep:irreversible <reason>".'

/** The step, or why there is none. */
export function stepOr(make: () => Step): Step | string {
  try {
    return make()
  } catch (error) {
    return reportOf(error).message
  }
}

export function brokenProof(id: string, detail: string): Proof {
  return { id, verdict: 'broken', detail, differences: [] }
}

async function tryOut(
  { shadow, scope }: TrialRoom,
  database: ShadowDatabase,
  steps: Steps,
  before: Before,
): Promise<{ readonly trial: Trial; readonly isCommitted: boolean }> {
  if (steps.up.transactional && steps.down.transactional) {
    let trial = await tryInTransaction(database, scope, steps, before)
    while (trial.kind !== 'done' && (await makeMissingRole(shadow.server, trial.error)))
      trial = await tryInTransaction(database, scope, steps, before)
    // What fails in one transaction may pass in two, as in life: a new enum value is used only after its commit.
    if (trial.kind !== 'up-failed' || !isRestored(before, trial, shadow.server.madeRoles()))
      return { trial, isCommitted: false }
  }
  return { trial: await tryCommitted(database, scope, steps, before), isCommitted: true }
}

/** Whether there is anything to try again with other rows. */
export function isTried({ verdict }: Proof): boolean {
  return verdict === 'proven' || verdict === 'lossy'
}

/** What two trials of one migration say together. */
export function worseOf(first: Proof, second: Proof): Proof {
  const worse = VERDICTS.indexOf(second.verdict) > VERDICTS.indexOf(first.verdict) ? second : first
  if (first.verdict !== second.verdict) return worse
  return { ...worse, differences: [...new Set([...first.differences, ...second.differences])] }
}
