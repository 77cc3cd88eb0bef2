import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { UNTOUCHED } from './errors.ts'
import { saysRollback } from './engine/deployment/rollback.ts'
import { toLockstepError } from './snapshot/failure.ts'
import type { SnapshotStore } from './snapshot/store.ts'

/**
 * What a deployment was about to do, and did, kept in the bucket: a rollback must know whether there is anything to
 * take back also when the database cannot be asked. DESIGN §7. One for each transition of a resource.
 */
export interface Intent extends Transition {
  readonly version: 1
  /** CloudFormation's id of the event that wrote this. */
  readonly requestId: string
  /** When that event first arrived; ISO 8601. */
  readonly at: string
  /** `attempted`: the event arrived. `announced`: statements may run from now on. `concluded`: the run is over. */
  readonly state: 'attempted' | 'announced' | 'concluded'
  /** Null until concluded. */
  readonly outcome: 'succeeded' | 'failed' | null
  /** Whether the run left the database changed. Null until concluded. */
  readonly changed: boolean | null
  /** The opposite transition had been attempted before: this one may itself take something back. */
  readonly reversal: boolean
}

export interface Transition {
  /** The custom resource: its stack and logical id. */
  readonly resource: string
  /** Hash of the migrations that were deployed before; null on Create. */
  readonly from: string | null
  /** Hash of the migrations to be deployed; empty on Delete. */
  readonly to: string
}

/** What a Delete does to a resource that has deployed these migrations. */
export function deletionOf(resource: string, migrations: string): Transition {
  return { resource, from: migrations, to: '' }
}

/** An event that has arrived, before anything has come of it. @param known - what the store holds of its transition */
export function attemptOf(
  transition: Transition,
  { requestId, now, known }: { readonly requestId: string; readonly now: Date; readonly known: Intent | null },
): Intent {
  // Delivered again, it is as old as its first delivery.
  const at = known?.requestId === requestId ? known.at : now.toISOString()
  return { version: 1, ...transition, requestId, at, state: 'attempted', outcome: null, changed: null, reversal: false }
}

/** Whether an event takes back what another one does, or did. Pure. @param later - of the opposite transition */
export function overtakes(later: Intent | null, { requestId, at }: Intent): boolean {
  return later !== null && later.requestId !== requestId && later.at > at
}

/** Whether a new attempt may be written over what is known: never over statements that may have run. Pure. */
export function mayOverwrite(known: Intent | null, requestId: string): boolean {
  return known === null || (known.state !== 'announced' && known.requestId !== requestId)
}

/**
 * Whether an Update that cannot reach the database may succeed all the same, because it takes back a deployment that
 * changed nothing. Pure. Where CloudFormation cannot be asked, only a first attempt that did not succeed counts: a
 * deployment that is tried again must never be taken for a rollback.
 *
 * @param failed - the intent of the opposite transition, which would be taken back
 */
export function hasNothingToTakeBack(failed: Intent | null, stackStatus: string | null): boolean {
  const unchanged = failed === null || failed.state === 'attempted' || failed.changed === false
  const rollback = saysRollback(stackStatus)
  if (rollback !== null) return rollback && unchanged
  return failed !== null && failed.outcome !== 'succeeded' && !failed.reversal && unchanged
}

/** @throws Fault when the store cannot be read: then nothing is known. */
export async function readIntent(store: SnapshotStore, subject: Transition): Promise<Intent | null> {
  return readJson<Intent>(store, keyOf(subject))
}

async function readJson<T>(store: SnapshotStore, key: string): Promise<T | null> {
  // Listed first: without the right to list the whole bucket, S3 answers a missing object with AccessDenied.
  if (!(await store.list(key)).includes(key)) return null
  const text = Buffer.concat(await (await store.read(key)).toArray()).toString('utf8')
  return JSON.parse(text) as T
}

/** @throws LockstepError `SNAPSHOT_FAILED` when the store cannot be written. */
export async function writeIntent(store: SnapshotStore, intent: Intent): Promise<void> {
  await writeJson(store, keyOf(intent), intent, 'Recording what the run is about to do')
}

async function writeJson(store: SnapshotStore, key: string, value: object, subject: string): Promise<void> {
  try {
    await store.write(key, Readable.from([Buffer.from(JSON.stringify(value))], { objectMode: false }))
  } catch (error) {
    throw toLockstepError(error, { code: 'SNAPSHOT_FAILED', subject, state: UNTOUCHED })
  }
}

/** That a requirement was to change: the rollback of an attempt must succeed. One for each transition of a resource. */
interface RequirementAttempt extends Transition {
  readonly version: 1
  readonly at: string
  /** It took back the opposite one: going there again is no rollback. */
  readonly reversal: boolean
}

/** Beyond this, a return to an earlier requirement is taken for an intentional deployment. Milliseconds. */
const ROLLBACK_WINDOW_MS = 4 * 3_600_000

/**
 * Records that a requirement is to change, and tells whether this takes back a change that was attempted a short while
 * ago.
 *
 * @throws Fault when the store cannot be read, LockstepError `SNAPSHOT_FAILED` when it cannot be written.
 */
export async function attemptRequirement(store: SnapshotStore, change: Transition, now: Date): Promise<boolean> {
  if (change.from === null || change.from === change.to) return false
  const known = await readJson<RequirementAttempt>(store, keyOf({ ...change, from: change.to, to: change.from }))
  const recent = known !== null && now.getTime() - Date.parse(known.at) < ROLLBACK_WINDOW_MS
  const reversal = recent && !known.reversal
  const attempt: RequirementAttempt = { version: 1, ...change, at: now.toISOString(), reversal }
  await writeJson(store, keyOf(change), attempt, 'Recording the change of a requirement')
  return reversal
}

function keyOf({ resource, from, to }: Transition): string {
  return `intents/${digest(resource)}/${digest(`${from ?? ''}>${to}`)}.json`
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32)
}
