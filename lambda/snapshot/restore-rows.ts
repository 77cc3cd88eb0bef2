import type { Log } from '../log.ts'
import { keyOf } from './chosen-copies.ts'
import { copyIn, type Postponed } from './copy-in.ts'
import type { SnapshotTable } from './manifest.ts'
import { createProgress } from './progress.ts'
import type { RestoreSource } from './restore-source.ts'
import type { RestoreEntry, RestoreTask } from './restore-tasks.ts'
import { shareOut, type SessionPool } from './session-pool.ts'

export interface RowsJob {
  readonly tasks: readonly RestoreTask[]
  /** The tables of which this restore knows that nothing is in them: an extension may have filled others. */
  readonly made: ReadonlySet<string>
  readonly log: Log
}

/**
 * Fills the tables. A check may call a function that looks for rows of another table, which PostgreSQL does not know of:
 * what one refuses is tried again after the rest, as long as that helps.
 *
 * @throws Fault
 */
export async function restoreRows(
  pool: SessionPool,
  { store, prefix, manifest }: RestoreSource,
  { tasks, made, log }: RowsJob,
): Promise<void> {
  const work = tasks.reduce((total, { object }) => total + object.bytes, 0)
  const progress = createProgress(log, 'Copying tables from the snapshot', manifest.tables.length, work)
  const left = new Map(manifest.tables.map((table) => [table, table.parts.length]))
  const onRows = ({ table }: RestoreEntry, rows: number): void => {
    const parts = (left.get(table) ?? 0) - 1
    left.set(table, parts)
    progress.addRows(rows)
    if (parts === 0) progress.finishTable()
  }
  const isOurs = (table: SnapshotTable): boolean => made.has(keyOf(table))
  const { encoding } = manifest.database
  const target = { store, prefix, encoding, onBytes: progress.addBytes, onRows, isOurs, mayPostpone: true }
  for (let waiting = tasks; waiting.length > 0;) {
    const refused: (Postponed & { readonly task: RestoreTask })[] = []
    await shareOut(pool, waiting, async (session, task) => {
      for (const postponed of await copyIn(session, target, task)) refused.push({ ...postponed, task })
    })
    if (refused.length > 0 && refused.length === entriesIn(waiting)) throw refused[0]?.error
    waiting = refused.map(({ entry, task }) => ({ ...task, entries: [entry] }))
    tellRefused(log, refused)
  }
}

function entriesIn(tasks: readonly RestoreTask[]): number {
  return tasks.reduce((total, { entries }) => total + entries.length, 0)
}

function tellRefused(log: Log, refused: readonly Postponed[]): void {
  if (refused.length === 0) return
  const tables = [...new Set(refused.map(({ entry }) => keyOf(entry.table)))]
  log.info('Checks have refused rows, maybe for what other tables lacked; trying again', { tables })
}
