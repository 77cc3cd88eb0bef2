import { messageOf, UNTOUCHED, type LockstepError } from './errors.ts'
import { invalidEvent, shown } from './event-invalid.ts'
import type { Lockstep } from './lockstep.ts'
import type { SnapshotWorkAnswer, SnapshotWorkEvent } from './snapshot-work-event.ts'
import { copyItem } from './snapshot/distributed/copy-item.ts'
import { endCopy, giveUpCopy } from './snapshot/distributed/end-copy.ts'
import { ViewLostFault } from './snapshot/distributed/held-view.ts'
import { keepView } from './snapshot/distributed/keep-view.ts'
import { workKeys, writeJson } from './snapshot/distributed/work-list.ts'
import { toLockstepError } from './snapshot/failure.ts'

/**
 * Does a part of a distributed copy. Why it failed is kept beside the work list as well, where the run finds it.
 *
 * @throws LockstepError `EVENT_INVALID`, `SNAPSHOT_FAILED`, `DATABASE_UNREACHABLE`
 */
export async function doSnapshotWork(
  lockstep: Lockstep,
  given: { readonly snapshotWork: unknown },
): Promise<SnapshotWorkAnswer> {
  const event = parseEvent(given)
  try {
    return await perform(lockstep, event)
  } catch (error) {
    const { signal } = lockstep
    const subject = SUBJECTS[event.snapshotWork]
    const failure = toLockstepError(error, { code: 'SNAPSHOT_FAILED', subject, state: UNTOUCHED, signal })
    await record(lockstep, event, failure, error instanceof ViewLostFault)
    throw failure
  }
}

const SUBJECTS: Readonly<Record<SnapshotWorkEvent['snapshotWork'], string>> = {
  copy: 'Copying an item of the snapshot',
  hold: 'Holding the consistent view',
  end: 'Ending the copy',
  'give-up': 'Ending the copy',
}

async function perform(lockstep: Lockstep, event: SnapshotWorkEvent): Promise<SnapshotWorkAnswer> {
  const { prefix } = event
  const context = { ...lockstep.snapshots(), prefix }
  switch (event.snapshotWork) {
    case 'copy':
      await copyItem(context, event.item)
      return { done: true }
    case 'hold': {
      const { clock, remainingMs } = lockstep
      return { done: await keepView({ ...context, clock, remainingMs, slot: event.slot }) }
    }
    case 'end':
      return { done: await endCopy(context) }
    case 'give-up':
      await giveUpCopy(context)
      return { done: true }
    default:
      return event satisfies never
  }
}

async function record(
  lockstep: Lockstep,
  event: SnapshotWorkEvent,
  { report }: LockstepError,
  viewLost: boolean,
): Promise<void> {
  const name = event.snapshotWork === 'copy' ? `copy-${event.item}` : event.snapshotWork
  const { message, remedy } = report
  try {
    await writeJson(lockstep.snapshots().store, workKeys(event.prefix).failure(name), { message, remedy, viewLost })
  } catch (error) {
    lockstep.log.warn('why the snapshot failed could not be kept', { reason: messageOf(error) })
  }
}

/** `<database>/<time>-<run>`, as every snapshot's. */
const PREFIX = /^[A-Za-z0-9_~-]+\/[A-Za-z0-9_-]+$/

function parseEvent(event: { readonly snapshotWork: unknown }): SnapshotWorkEvent {
  const { snapshotWork, prefix, item, slot } = event as Readonly<Record<string, unknown>>
  if (typeof prefix !== 'string' || !PREFIX.test(prefix)) throw invalid('prefix', prefix)
  switch (snapshotWork) {
    case 'copy':
      if (typeof item !== 'number' || !Number.isInteger(item) || item < 0) throw invalid('item', item)
      return { snapshotWork, prefix, item }
    case 'hold':
      if (slot !== 1 && slot !== 2) throw invalid('slot', slot)
      return { snapshotWork, prefix, slot }
    case 'end':
    case 'give-up':
      return { snapshotWork, prefix }
    default:
      throw invalid('snapshotWork', snapshotWork)
  }
}

function invalid(key: string, value: unknown): LockstepError {
  return invalidEvent(
    `"${key}" of the event is ${shown(value)}.`,
    'Leave this event to the state machine; to take a snapshot, send {"action":"snapshot"}.',
  )
}
