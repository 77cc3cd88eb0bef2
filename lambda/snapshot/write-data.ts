import type pg from 'pg'
import type { Log } from '../log.ts'
import { measureTables } from './catalog.ts'
import type { ChosenTable } from './chosen-tables.ts'
import type { CopiedTask } from './copy-out.ts'
import { planCopies, type CopyTask } from './copy-plan.ts'
import { copyTasks, tablesOf, type CopyJob } from './copy-workers.ts'
import { totalOf, type LargeObjects } from './large-objects.ts'
import type { SnapshotLargeObjects, SnapshotManifest, SnapshotObject, SnapshotTable } from './manifest.ts'
import { createProgress, type Outlook } from './progress.ts'

export interface DataPlan {
  readonly chosen: readonly ChosenTable[]
  readonly tasks: readonly CopyTask[]
  readonly largeObjects: LargeObjects
  /** Of the tables that are copied, on the server's disk. */
  readonly tableBytes: number
}

/** The rows and large objects of a snapshot, as its manifest tells of them. */
export interface WrittenData {
  readonly tables: readonly SnapshotTable[]
  readonly largeObjects: SnapshotLargeObjects | null
  readonly copied: SnapshotManifest['copied']
  readonly objects: readonly SnapshotObject[]
}

/** What is to be copied, in which pieces. The session is the one that has locked the tables. */
export async function planData(
  { client, workers }: { readonly client: pg.Client; readonly workers: number },
  chosen: readonly ChosenTable[],
  largeObjects: LargeObjects,
): Promise<DataPlan> {
  const wanted = chosen.filter(({ omitted }) => omitted === null).map(({ table }) => table)
  const tables = await measureTables(client, wanted)
  const tableBytes = tables.reduce((total, { bytes }) => total + bytes, 0)
  return { chosen, tasks: planCopies(tables, workers, largeObjects.ranges), largeObjects, tableBytes }
}

/** Copies the rows and large objects, and says where which of them are. */
export async function writeData(
  job: Omit<CopyJob, 'progress'> & { readonly log: Log; readonly onOutlook: (outlook: Outlook) => void },
  { chosen, tasks, largeObjects, tableBytes }: DataPlan,
): Promise<WrittenData> {
  const began = performance.now()
  const work = tasks.reduce((total, task) => total + task.bytes, 0)
  const tables = new Set(tasks.flatMap((task) => tablesOf(task)))
  const progress = createProgress(job.log, 'Copying tables to the snapshot', tables.size, work, job.onOutlook)
  const copied = await copyTasks({ ...job, progress }, tasks)
  const durationMs = Math.round(performance.now() - began)
  return describeData({ chosen, roles: largeObjects.roles }, copied, { tableBytes, durationMs, workers: job.workers })
}

/** What was to be copied, as far as the manifest tells of it. */
export interface Contents {
  readonly chosen: readonly ChosenTable[]
  /** Of the large objects. */
  readonly roles: readonly string[]
}

/** Which rows of which table, and which large objects, are where, from what the tasks have written. */
export function describeData(
  { chosen, roles }: Contents,
  tasks: readonly CopiedTask[],
  copied: SnapshotManifest['copied'],
): WrittenData {
  return {
    tables: describeTables(chosen, tasks),
    largeObjects: describeLargeObjects(tasks, roles),
    copied,
    objects: tasks.map(({ object }) => object),
  }
}

function describeLargeObjects(copied: readonly CopiedTask[], roles: readonly string[]): SnapshotLargeObjects | null {
  const parts = copied
    .flatMap(({ object: { key }, largeObjects }) =>
      largeObjects === null ? [] : [{ key, count: largeObjects.count, bytes: largeObjects.bytes }],
    )
    .toSorted((a, b) => (a.key < b.key ? -1 : 1))
  return parts.length === 0 ? null : { ...totalOf(parts), roles, parts }
}

function describeTables(chosen: readonly ChosenTable[], copied: readonly CopiedTask[]): readonly SnapshotTable[] {
  const parts = Map.groupBy(
    copied.flatMap((task) => task.parts),
    ({ table }) => table.oid,
  )
  return chosen.map(({ table, omitted }) => {
    const own = (parts.get(table.oid) ?? []).map(({ part }) => part)
    const rows = own.reduce((total, part) => total + part.rows, 0)
    const { schema, name, columns, filter } = table
    const inOrder = own.toSorted((a, b) => (a.key < b.key ? -1 : 1))
    return { schema, name, columns, filter, omitted, rows, parts: inOrder }
  })
}
