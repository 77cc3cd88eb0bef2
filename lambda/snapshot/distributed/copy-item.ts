import type pg from 'pg'
import type { Log } from '../../log.ts'
import { copyOut } from '../copy-out.ts'
import { lockTables, tablesOf } from '../copy-workers.ts'
import { Fault } from '../fault.ts'
import { prepareSession, withSessions, type SessionSource } from '../session.ts'
import type { SnapshotStore } from '../store.ts'
import { shareHeldView } from './held-view.ts'
import { isThere, readJson, workKeys, writeJson, type WorkList, type WorkResult } from './work-list.ts'

/** What the invocations of a distributed copy work with. */
export interface WorkContext extends SessionSource {
  readonly store: SnapshotStore
  readonly log: Log
  /** Under which the snapshot is written. */
  readonly prefix: string
}

/**
 * Copies one item of the work list under the shared view. Done again, it writes the same object; what was done already
 * is left. An item whose tables somebody waits to change is left to those who hold the view.
 *
 * @throws Fault
 */
export async function copyItem(context: WorkContext, item: number): Promise<void> {
  const { store, prefix, log } = context
  const keys = workKeys(prefix)
  if (await isThere(store, keys.result(item))) return
  const list = await readJson<WorkList>(store, keys.list)
  const wanted = list.items[item]
  if (wanted === undefined) {
    throw new Fault(`the work list of ${prefix} has no item ${item}.`, 'Invoke this through the state machine only.')
  }
  await withSessions(context, async (open) => {
    const client = await open()
    await prepareSession(client)
    await shareHeldView(client, store, prefix)
    if (await lockTables(client, tablesOf(wanted.task))) return copyTo(context, client, list, item)
    log.info('somebody waits to change a table of this item; it is left to those who have locked it', { item })
    return writeJson(store, keys.refusal(item), { item })
  })
}

/** Copies an item on a session that shares the view and may read its tables at once. */
export async function copyTo(
  { store, prefix, log }: WorkContext,
  client: pg.Client,
  { encoding, items }: WorkList,
  item: number,
): Promise<void> {
  const wanted = items[item]
  if (wanted === undefined) return
  const { key, task } = wanted
  const { object, parts, largeObjects } = await copyOut(client, { store, prefix, key, encoding }, task, () => {})
  const result: WorkResult = { object, parts: parts.map(({ table, part }) => ({ oid: table.oid, part })), largeObjects }
  await writeJson(store, workKeys(prefix).result(item), result)
  log.info('copied an item of the snapshot', { item, key, bytes: object.bytes })
}
