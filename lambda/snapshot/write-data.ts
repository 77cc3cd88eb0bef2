import type pg from 'pg'
import type { Log } from '../log.ts'
import { measureTables } from './catalog.ts'
import type { ChosenTable } from './chosen-tables.ts'
import type { CopiedTask } from './copy-out.ts'
import { planCopies, type CopyTask } from './copy-plan.ts'
import { copyTasks, tablesOf, type CopyJob } from './copy-workers.ts'
import { totalOf, type LargeObjectRange } from './large-objects.ts'
import type { SnapshotLargeObjects, SnapshotObject, SnapshotTable } from './manifest.ts'
import { createProgress } from './progress.ts'

export interface DataPlan {
  readonly chosen: readonly ChosenTable[]
  readonly tasks: readonly CopyTask[]
}

/** What is to be copied, in which pieces. The session is the one that has locked the tables. */
export async function planData(
  { client, workers }: { readonly client: pg.Client; readonly workers: number },
  chosen: readonly ChosenTable[],
  largeObjects: readonly LargeObjectRange[],
): Promise<DataPlan> {
  const wanted = chosen.filter(({ omitted }) => omitted === null).map(({ table }) => table)
  return { chosen, tasks: planCopies(await measureTables(client, wanted), workers, largeObjects) }
}

export interface WrittenData {
  readonly tables: readonly SnapshotTable[]
  readonly largeObjects: SnapshotLargeObjects | null
  readonly objects: readonly SnapshotObject[]
}

/** Copies the rows and large objects, and says where which of them are. */
export async function writeData(
  job: Omit<CopyJob, 'progress'> & { readonly log: Log },
  { chosen, tasks }: DataPlan,
): Promise<WrittenData> {
  const work = tasks.reduce((total, task) => total + task.bytes, 0)
  const tables = new Set(tasks.flatMap((task) => tablesOf(task)))
  const progress = createProgress(job.log, 'Copying tables to the snapshot', tables.size, work)
  const copied = await copyTasks({ ...job, progress }, tasks)
  return {
    tables: describeTables(chosen, copied),
    largeObjects: describeLargeObjects(copied),
    objects: copied.map(({ object }) => object),
  }
}

function describeLargeObjects(copied: readonly CopiedTask[]): SnapshotLargeObjects | null {
  const parts = copied
    .flatMap(({ object: { key }, largeObjects }) =>
      largeObjects === null ? [] : [{ key, count: largeObjects.count, bytes: largeObjects.bytes }],
    )
    .toSorted((a, b) => (a.key < b.key ? -1 : 1))
  return parts.length === 0 ? null : { ...totalOf(parts), parts }
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
