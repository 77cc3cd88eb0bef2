import { isPause } from '../engine/run/pause.ts'
import { messageOf, UNTOUCHED } from '../errors.ts'
import type { Log } from '../log.ts'
import { toLockstepError } from './failure.ts'
import { Fault } from './fault.ts'
import { outdated, ownAvailable, storageSnapshotId, tagsOf, type StorageOwner } from './storage-retention.ts'
import { waiting, type Waiting, type WaitingTime } from './waiting.ts'
import { NotAvailableFault, type StorageService, type StorageSnapshot } from './storage-service.ts'

/** What storage-level snapshots work with. */
export interface StorageContext extends WaitingTime {
  readonly service: StorageService
  readonly owner: StorageOwner
  /** How many of the owner's snapshots are kept. */
  readonly keepLast: number
  readonly log: Log
}

const REMEDY =
  'Give the construct a longer totalTimeout (up to an hour); or take one by hand before the deployment, and deploy with Snapshot.none(). What RDS has begun it finishes; it is kept.'

/** How long a server that is at something else, such as its daily backup, is waited for. Milliseconds. */
const NOT_AVAILABLE_MS = 180_000
/** A snapshot that RDS has begun and then not knows so often was deleted. */
const MISSED = 3

/**
 * Has the storage of the server snapshotted, and waits until the snapshot is available. The id comes from the run's, so
 * that a second delivery of its request, or its next invocation, finds what the first has begun. Deletes what is older
 * than the newest `keepLast`.
 *
 * @throws Paused when the invocation's time is over and another one will follow; the snapshot goes on meanwhile
 * @throws LockstepError `SNAPSHOT_FAILED`
 */
export async function takeStorageSnapshot(context: StorageContext, runId: string): Promise<StorageSnapshot> {
  const { service, log } = context
  try {
    const snapshot = await waitUntilAvailable(context, storageSnapshotId(context.owner, runId), runId)
    log.info('the snapshot is available', { snapshot: snapshot.id })
    await prune(context)
    return snapshot
  } catch (error) {
    if (isPause(error)) throw error
    const subject = `The snapshot of ${service.server}`
    throw toLockstepError(error, { code: 'SNAPSHOT_FAILED', subject, state: UNTOUCHED, signal: context.signal })
  }
}

/** The owner's snapshots that can be restored, newest first. @throws LockstepError `SNAPSHOT_FAILED`. */
export async function listStorageSnapshots({
  service,
  owner,
}: Pick<StorageContext, 'service' | 'owner'>): Promise<readonly StorageSnapshot[]> {
  try {
    return ownAvailable(await service.list(), owner)
  } catch (error) {
    const subject = `Listing the snapshots of ${service.server}`
    throw toLockstepError(error, { code: 'SNAPSHOT_FAILED', subject, state: UNTOUCHED })
  }
}

async function waitUntilAvailable(context: StorageContext, id: string, runId: string): Promise<StorageSnapshot> {
  const wait = waiting(context, REMEDY)
  let found = await beginOrFind(context, id, runId, wait)
  let missed = 0
  while (found.status !== 'available') {
    refuseBroken(found)
    context.log.info('waiting for the snapshot', { snapshot: id, status: found.status, percent: found.percent })
    await wait.next(`${id} is at ${found.percent} %`)
    const now = await context.service.find(id)
    missed = now === null ? missed + 1 : 0
    if (missed === MISSED) throw gone(id)
    found = now ?? found
  }
  return found
}

async function beginOrFind(
  { service, owner, clock, log }: StorageContext,
  id: string,
  runId: string,
  wait: Waiting,
): Promise<StorageSnapshot> {
  const known = await service.find(id)
  if (known !== null) return known
  const began = clock.monotonic()
  for (;;) {
    try {
      return await service.create(id, tagsOf(owner, runId))
    } catch (error) {
      if (!(error instanceof NotAvailableFault) || clock.monotonic() - began > NOT_AVAILABLE_MS) throw error
      log.warn('the server cannot be snapshotted yet; waiting', { reason: error.message })
      await wait.next(error.message.replace(/\.$/, ''))
    }
  }
}

function refuseBroken({ id, status }: StorageSnapshot): void {
  if (status !== 'failed' && !status.startsWith('incompatible')) return
  throw new Fault(
    `RDS says that ${id} is "${status}".`,
    'Look at the events of the instance or cluster in the RDS console, delete the snapshot, and try again.',
  )
}

function gone(id: string): Fault {
  return new Fault(`${id} was begun, but RDS does not know of it any more.`, 'Find out who deletes it, and try again.')
}

/** What cannot be deleted costs money, but no deployment. */
async function prune({ service, owner, keepLast, log }: StorageContext): Promise<void> {
  try {
    for (const { id } of outdated(await service.list(), owner, keepLast)) {
      await service.remove(id)
      log.info('deleted an old snapshot', { snapshot: id })
    }
  } catch (error) {
    log.warn('old snapshots could not be deleted', { reason: messageOf(error) })
  }
}
