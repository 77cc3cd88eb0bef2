import type { SnapshotResult } from '../../contract.ts'
import { isPause } from '../../engine/run/pause.ts'
import { messageOf } from '../../errors.ts'
import { abortedBy, toLockstepError } from '../failure.ts'
import { Fault } from '../fault.ts'
import { removeAbandoned } from '../incomplete.ts'
import { snapshotPrefix } from '../names.ts'
import type { SnapshotSelection } from '../scope.ts'
import { withSessions } from '../session.ts'
import { currentDatabase, snapshotResult } from '../snapshot.ts'
import { dropLeftovers } from '../staging.ts'
import { waiting } from '../waiting.ts'
import type { Begun, DistributedContext } from './distributed-context.ts'
import { finishDraft, writeDraft } from './draft.ts'
import type { Execution } from './executions.ts'
import { handOver } from './hand-over.ts'
import { publishView, ViewLostFault } from './held-view.ts'
import { numbersIn, readFailure, workKeys } from './work-list.ts'

interface Input {
  readonly runId: string
  readonly selection: SnapshotSelection
}

/** A copy whose view was lost with the invocation that held it is begun anew so often. */
const ATTEMPTS = 3
const REMEDY =
  'Give the construct a longer totalTimeout (up to an hour), or choose Snapshot.rds(), which snapshots the storage.'

/**
 * Takes a logical copy whose rows are copied by many invocations of the function under one consistent view, which
 * others of them hold in turns; this one waits, and finishes the snapshot. A later invocation goes on where this one
 * was paused or killed: the execution is found by the run's id.
 *
 * @throws Paused when the invocation's time is over and another one will follow; the copy goes on meanwhile
 * @throws LockstepError `SNAPSHOT_FAILED`, `DATABASE_UNREACHABLE`
 */
export async function takeDistributedSnapshot(context: DistributedContext, input: Input): Promise<SnapshotResult> {
  const started = context.clock.monotonic()
  const { store, log } = context
  let begun: Begun | null = null
  try {
    for (let attempt = 1; ; attempt += 1) {
      const name = `${input.runId}-${attempt}`
      const found = await context.executions.find(name)
      begun = found === null ? null : { name, prefix: prefixIn(found) }
      begun ??= await begin(context, name, input, (one) => void (begun = one))
      const lost = await waitUntilEnded(context, begun, { mayBeLost: found !== null && attempt < ATTEMPTS })
      if (!lost) break
      log.warn('the view of the snapshot was lost with the invocation that held it; beginning anew', { name })
      await discard(context, begun, 'begun anew')
    }
    const manifest = await finishDraft(store, begun.prefix, context.now())
    await removeWork(context, begun)
    await removeAbandoned(store, manifest.database.name, context.now(), log)
    return snapshotResult(manifest, `${store.uri}/${begun.prefix}`, context.clock.monotonic() - started)
  } catch (error) {
    if (isPause(error)) throw error
    const signal = abortedBy(context.signal)
    const removed = begun === null || (await discard(context, begun, messageOf(error)))
    const rest = removed ? 'nothing of the snapshot was kept' : 'an incomplete snapshot without a manifest was left'
    const state = `The database has not been touched, and ${rest}.`
    const subject = 'The distributed snapshot'
    throw toLockstepError(error, { code: 'SNAPSHOT_FAILED', subject, state, signal })
  }
}

function prefixIn({ input }: Execution): string {
  return (JSON.parse(input) as { readonly prefix: string }).prefix
}

/** Holds the view until two invocations that the state machine has started hold it. */
async function begin(
  context: DistributedContext,
  name: string,
  { runId, selection }: Input,
  tell: (begun: Begun) => void,
): Promise<Begun> {
  const { store, executions, clock, remainingMs } = context
  const folder = folderOf(store.uri)
  return withSessions(context, async (open, cut) => {
    const client = await open()
    const createdAt = context.now()
    const prefix = snapshotPrefix(await currentDatabase(client), createdAt, runId)
    const begun = { name, prefix }
    tell(begun)
    await dropLeftovers(client, open, context.log)
    const snapshotId = await writeDraft(context, { open, cut, client, prefix, runId, createdAt, selection })
    await publishView(store, prefix, { slot: 0, snapshotId, until: clock.now().getTime() + remainingMs() })
    await executions.start(name, JSON.stringify({ prefix, numbersKey: `${folder}${workKeys(prefix).numbers}` }))
    context.log.info('the copy is distributed', { execution: name, prefix })
    await handOver(context, client, begun)
    await client.query('COMMIT')
    return begun
  })
}

/** The store's folder in its bucket, with a slash at its end. */
function folderOf(uri: string): string {
  const [, folder] = /^s3:\/\/[^/]+(?:\/(.*))?$/.exec(uri) ?? []
  if (uri.startsWith('s3:')) return folder === undefined ? '' : `${folder}/`
  throw new Fault(`snapshots are kept in ${uri}, which the state machine cannot read.`, 'Keep them in S3.')
}

/** Whether its view was lost, which an earlier invocation may have taken with it. */
async function waitUntilEnded(
  context: DistributedContext,
  begun: Begun,
  { mayBeLost }: { readonly mayBeLost: boolean },
): Promise<boolean> {
  const wait = waiting(context, REMEDY)
  for (;;) {
    const execution = await context.executions.find(begun.name)
    if (execution?.status === 'succeeded') return false
    if (execution?.status !== 'running') {
      const failure = await failureOf(context, begun, execution)
      if (mayBeLost && failure instanceof ViewLostFault) return true
      throw failure
    }
    const { size } = await numbersIn(context.store, workKeys(begun.prefix).results)
    context.log.info('waiting for the distributed copy', { itemsDone: size })
    await wait.next(`${size} items of the copy are done`)
  }
}

/** The execution says only that an item failed; the item's own invocation has kept why. */
async function failureOf(
  { store }: DistributedContext,
  { prefix }: Begun,
  execution: Execution | null,
): Promise<Fault> {
  const failure = await readFailure(store, prefix)
  if (failure?.viewLost === true) return new ViewLostFault()
  if (failure !== null) return new Fault(failure.message, failure.remedy)
  const cause = execution?.cause ?? 'it was stopped, or has taken too long'
  return new Fault(
    `the execution that distributes the copy has ended without a result: ${cause}.`,
    'Look at the execution in the Step Functions console, and try again.',
  )
}

/** What the finished snapshot does not need. */
async function removeWork({ store, log }: DistributedContext, { prefix }: Begun): Promise<void> {
  try {
    await store.remove(await store.list(workKeys(prefix).folder))
  } catch (error) {
    log.warn('the work list of a finished snapshot could not be removed', { prefix, reason: messageOf(error) })
  }
}

/** Ends a copy that has failed. Those who hold its view end when they find the list gone. */
async function discard(context: DistributedContext, { name, prefix }: Begun, cause: string): Promise<boolean> {
  const { store, executions, log } = context
  try {
    if ((await executions.find(name))?.status === 'running') await executions.stop(name, cause)
    await store.remove(await store.list(`${prefix}/`))
    return true
  } catch (error) {
    log.warn('Could not remove an incomplete snapshot', { prefix, reason: messageOf(error) })
    return false
  }
}
