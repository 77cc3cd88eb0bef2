import type pg from 'pg'
import { sqlStateOf } from '../failure.ts'
import { Fault } from '../fault.ts'
import type { SnapshotStore } from '../store.ts'
import { readJson, workKeys, writeJson, type HeldView } from './work-list.ts'

/** Nobody holds the consistent view any more: what is left of the database can only be seen as it is now. */
export class ViewLostFault extends Fault {
  constructor() {
    super(
      'the consistent view of the database was lost: every session that held it has ended.',
      'Look in the log of the function for why it ended, and try again.',
    )
  }
}

// PostgreSQL, appendix A: invalid_parameter_value up to 16, undefined_object from 17 on; its session has just ended
const LOST = new Set(['22023', '42704', '55000'])

/** Says that the session holds the view, so that others can share it. */
export async function publishView(store: SnapshotStore, prefix: string, view: HeldView): Promise<void> {
  await writeJson(store, workKeys(prefix).view(view.slot), view)
}

/** Who holds the view, the one who will for longest first. */
export async function readViews(store: SnapshotStore, prefix: string): Promise<readonly HeldView[]> {
  const keys = await store.list(workKeys(prefix).views)
  const views = await Promise.all(keys.map(async (key) => readJson<HeldView>(store, key)))
  return views.toSorted((a, b) => b.until - a.until)
}

/**
 * Begins a transaction that sees the database as all others of this snapshot do.
 *
 * @throws ViewLostFault when nobody holds the view any more.
 */
export async function shareHeldView(client: pg.Client, store: SnapshotStore, prefix: string): Promise<void> {
  for (const view of await readViews(store, prefix)) if (await share(client, view)) return
  throw new ViewLostFault()
}

/** Whether the session that has published a view is still there. Leaves no transaction open. */
export async function isHeld(client: pg.Client, view: HeldView): Promise<boolean> {
  if (!(await share(client, view))) return false
  await client.query('ROLLBACK')
  return true
}

async function share(client: pg.Client, { snapshotId }: HeldView): Promise<boolean> {
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    await client.query(`SET TRANSACTION SNAPSHOT '${snapshotId.replaceAll("'", "''")}'`)
    return true
  } catch (error) {
    if (!LOST.has(sqlStateOf(error) ?? '')) throw error
    await client.query('ROLLBACK')
    return false
  }
}

/** The view as this session's own: a session that has taken it over can hand it on, after the one it has it from ended. */
export async function exportView(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ id: string }>('SELECT pg_catalog.pg_export_snapshot() AS id')
  return rows[0]?.id ?? ''
}
