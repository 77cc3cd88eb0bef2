import type pg from 'pg'
import { lockTables } from '../copy-workers.ts'
import { prepareSession, withSessions, type OpenSession } from '../session.ts'
import { exportView, isHeld, publishView, readViews, shareHeldView } from './held-view.ts'
import { hasEnded, holdView, ownerOf, pause, type HolderContext } from './hold-view.ts'
import { isThere, readJson, workKeys, type WorkList } from './work-list.ts'

/** What an invocation that holds the view works with. */
export interface KeeperContext extends HolderContext {
  /** Of the two that take turns: 1 or 2. */
  readonly slot: number
}

/** The part of an invocation that is left when it hands the view on. */
const LEFT_AT_THE_END = 0.1
/** The part of an invocation that must be left to begin with an item that a worker was refused. */
const LEFT_FOR_ITEM = 0.4

/**
 * Takes the view over from whoever holds it, and holds it until the copy has ended or another invocation holds it for
 * longer. Two of these take turns, and their times overlap, so that the copy may outlast any of them. An exported view
 * ends with its session; but a session that has imported it can export it again.
 *
 * @returns false when the next turn is to begin
 * @throws ViewLostFault when nobody holds it any more.
 */
export async function keepView(context: KeeperContext): Promise<boolean> {
  const { store, prefix, slot, clock, remainingMs } = context
  const list = await readJson<WorkList>(store, workKeys(prefix).list)
  const whole = remainingMs()
  return withSessions(context, async (open) => {
    const client = await open()
    await prepareSession(client)
    if (!(await takeOver(context, client, list, whole))) return hasEnded(context)
    const until = clock.now().getTime() + (await ownTime(context, whole))
    await publishView(store, prefix, { slot, snapshotId: await exportView(client), until })
    context.log.info('holding the view of the snapshot', { slot, until: new Date(until).toISOString() })
    return holdView(context, client, list, {
      mayLeave: async (now) => now >= until && isHeldByAnother(context, open, now),
      own: async (refused, now) => {
        if (remainingMs() < whole * LEFT_FOR_ITEM) return []
        const isAlone = await otherHasLeft(context, now)
        return refused.filter((item) => isAlone || ownerOf(item) === slot)
      },
    })
  })
}

/** The first turn of the first is half as long: from then on they end in turns, half an invocation apart. */
async function ownTime({ store, prefix, slot, remainingMs }: KeeperContext, whole: number): Promise<number> {
  const isFirst = !(await isThere(store, workKeys(prefix).view(slot)))
  return slot === 1 && isFirst ? remainingMs() - whole / 2 : remainingMs() - whole * LEFT_AT_THE_END
}

/**
 * Shares the view and locks every table, so that none is rewritten once the one before has ended. Somebody who waits to
 * change a table keeps it from that for as long as he waits; meanwhile the one before goes on.
 *
 * @returns false when the copy or this invocation has ended before
 */
async function takeOver(
  context: KeeperContext,
  client: pg.Client,
  { tables }: WorkList,
  whole: number,
): Promise<boolean> {
  const { store, prefix, clock, remainingMs } = context
  while (remainingMs() > whole * LEFT_AT_THE_END) {
    if (await hasEnded(context)) return false
    await shareHeldView(client, store, prefix)
    if (await lockTables(client, tables)) return true
    await client.query('ROLLBACK')
    await clock.sleep(pause(context))
  }
  return false
}

/** It cannot come back while somebody waits to change a table. Before its first turn, the run's own session is there. */
async function otherHasLeft({ store, prefix, slot }: KeeperContext, now: number): Promise<boolean> {
  const other = (await readViews(store, prefix)).find((view) => view.slot !== slot && view.slot !== 0)
  return other !== undefined && other.until <= now
}

/** What the other has written may outlive it: the server is asked whether its session is still there. */
async function isHeldByAnother(
  { store, prefix, slot }: KeeperContext,
  open: OpenSession,
  now: number,
): Promise<boolean> {
  const others = (await readViews(store, prefix)).filter((view) => view.slot !== slot && view.until > now)
  if (others.length === 0) return false
  const client = await open()
  try {
    for (const view of others) if (await isHeld(client, view)) return true
    return false
  } finally {
    await client.end()
  }
}
