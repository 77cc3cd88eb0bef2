import type pg from 'pg'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { qualified, type CatalogTable } from './catalog.ts'
import { copyOut, type CopiedTask } from './copy-out.ts'
import type { CopyTask } from './copy-plan.ts'
import { sqlStateOf } from './failure.ts'
import { dataKey, largeObjectsKey, packKey } from './names.ts'
import type { Progress } from './progress.ts'
import type { TableName } from './scope.ts'
import { prepareSession, type OpenSession } from './session.ts'
import type { SnapshotStore } from './store.ts'
import { together } from './together.ts'

export interface CopyJob {
  readonly open: OpenSession
  /** Ends every session of the snapshot at once. */
  readonly cut: (reason: unknown) => void
  /** The session that holds the consistent view, and a lock on every table. It copies as well, once it is free. */
  readonly coordinator: Promise<pg.Client>
  readonly snapshotId: string
  readonly workers: number
  readonly store: SnapshotStore
  readonly prefix: string
  readonly encoding: string
  readonly log: Log
  readonly progress: Progress
}

interface NumberedTask {
  readonly task: CopyTask
  readonly key: string
}

/** What all workers share. */
interface Work {
  readonly job: CopyJob
  readonly queue: NumberedTask[]
  /** Left to the coordinator. */
  readonly refused: NumberedTask[]
  readonly copied: CopiedTask[]
  /** Whether it has been told that there are fewer workers than wanted. */
  isShort: boolean
}

/** Copies all tasks, in their order, on as many sessions at a time as the server gives and the job wants. */
export async function copyTasks(job: CopyJob, tasks: readonly CopyTask[]): Promise<readonly CopiedTask[]> {
  const queue = tasks.map((task, index) => ({ task, key: keyOf(index, task) }))
  const work: Work = { job, queue, refused: [], copied: [], isShort: false }
  const helpers = Math.min(job.workers - 1, tasks.length)
  const helping = Array.from({ length: helpers }, async () => help(work))
  await together([coordinate(work), ...helping], job.cut)
  // A helper's last task may have been refused after the coordinator had run out of work.
  await coordinate(work)
  return work.copied
}

/** The object that a task writes, by its place among all. */
export function keyOf(index: number, task: CopyTask): string {
  if (task.kind === 'large-objects') return largeObjectsKey(index)
  return task.kind === 'table' ? dataKey(index, task.table, task.part) : packKey(index)
}

async function coordinate(work: Work): Promise<void> {
  const client = await work.job.coordinator
  for (;;) {
    const next = work.refused.shift() ?? work.queue.shift()
    if (next === undefined) return
    await copy(work, client, next)
  }
}

async function help(work: Work): Promise<void> {
  const client = await openHelper(work)
  if (client === null) return
  for (let next = work.queue.shift(); next !== undefined; next = work.queue.shift()) {
    if (await lockTables(client, tablesOf(next.task))) await copy(work, client, next)
    else {
      work.refused.push(next)
      await client.query('ROLLBACK')
      await shareView(client, work.job)
    }
  }
  // At once: it holds locks.
  await client.end()
}

/** Null, with a warning, when the server has no more sessions to give: fewer can do the work. */
async function openHelper(work: Work): Promise<pg.Client | null> {
  const { job } = work
  try {
    const client = await job.open(undefined, 'none')
    await prepareSession(client)
    await shareView(client, job)
    return client
  } catch (error) {
    if (sqlStateOf(error) !== TOO_MANY_CONNECTIONS) throw error
    const message = 'The server gave no further connection: the snapshot goes on with fewer workers'
    if (!work.isShort) job.log.warn(message, { workers: job.workers, reason: messageOf(error) })
    work.isShort = true
    return null
  }
}

// PostgreSQL, appendix A
const TOO_MANY_CONNECTIONS = '53300'
const LOCK_NOT_AVAILABLE = '55P03'

async function shareView(client: pg.Client, { snapshotId }: CopyJob): Promise<void> {
  await client.query(
    `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT '${snapshotId.replaceAll("'", "''")}'`,
  )
}

/**
 * False when somebody waits for a lock on a table, behind the coordinator: waiting behind that one in turn would never
 * end, because the coordinator waits for its helpers.
 */
export async function lockTables(client: pg.Client, tables: readonly TableName[]): Promise<boolean> {
  if (tables.length === 0) return true
  const names = tables.map((table) => `ONLY ${qualified(table)}`).join(', ')
  try {
    await client.query(`LOCK TABLE ${names} IN ACCESS SHARE MODE NOWAIT`)
    return true
  } catch (error) {
    if (sqlStateOf(error) === LOCK_NOT_AVAILABLE) return false
    throw error
  }
}

/** Whose rows a task copies. */
export function tablesOf(task: CopyTask): readonly CatalogTable[] {
  if (task.kind === 'large-objects') return []
  return task.kind === 'table' ? [task.table] : task.tables
}

async function copy({ job, copied }: Work, client: pg.Client, { task, key }: NumberedTask): Promise<void> {
  const { store, prefix, encoding, progress } = job
  let workLeft = task.bytes
  // Rows as text and rows on disk differ in size: what a task takes is known beforehand only from the latter.
  const onBytes = (bytes: number): void => {
    const work = Math.min(bytes, workLeft)
    workLeft -= work
    progress.addBytes(bytes, work)
  }
  const result = await copyOut(client, { store, prefix, key, encoding }, task, onBytes)
  copied.push(result)
  progress.addRows(result.parts.reduce((sum, { part }) => sum + part.rows, 0))
  progress.addBytes(0, workLeft)
  for (const table of tablesOf(task)) if (isWhole(copied, task, table)) progress.finishTable()
}

function isWhole(copied: readonly CopiedTask[], task: CopyTask, table: CatalogTable): boolean {
  if (task.kind !== 'table') return true
  const parts = copied.flatMap(({ parts }) => parts.filter((part) => part.table === table))
  return parts.length === task.part.of
}
