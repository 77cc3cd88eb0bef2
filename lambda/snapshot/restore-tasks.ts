import { Fault } from './fault.ts'
import type { SnapshotManifest, SnapshotObject, SnapshotPart, SnapshotTable } from './manifest.ts'

/** One object of the snapshot with all the rows that are in it: what one session copies in one go. */
export interface RestoreTask {
  readonly object: SnapshotObject
  /** In the order in which they lie in the object. */
  readonly entries: readonly RestoreEntry[]
}

export interface RestoreEntry {
  readonly table: SnapshotTable
  readonly part: SnapshotPart
}

/**
 * The objects to copy from, the largest first, so that no session is left alone with a large one at the end.
 *
 * @param tables Whose rows are wanted.
 * @throws Fault when the manifest contradicts itself.
 */
export function planTasks(manifest: SnapshotManifest, tables: readonly SnapshotTable[]): readonly RestoreTask[] {
  const entries = Map.groupBy(
    tables.flatMap((table) => table.parts.map((part) => ({ table, part }))),
    ({ part }) => part.key,
  )
  const objects = new Map(manifest.objects.map((object) => [object.key, object]))
  const tasks = [...entries].map(([key, found]) => ({ object: objectOf(objects, key), entries: inOrder(key, found) }))
  return tasks.toSorted((a, b) => b.object.bytes - a.object.bytes)
}

function objectOf(objects: ReadonlyMap<string, SnapshotObject>, key: string): SnapshotObject {
  const object = objects.get(key)
  if (object === undefined) throw contradiction(`lists no object ${key}`)
  return object
}

function inOrder(key: string, entries: readonly RestoreEntry[]): readonly RestoreEntry[] {
  if (entries.length > 1 && entries.some(({ part }) => part.slice === null)) {
    throw contradiction(`gives the whole of ${key} to one table, and some of it to another`)
  }
  return entries.toSorted((a, b) => (a.part.slice?.start ?? 0) - (b.part.slice?.start ?? 0))
}

function contradiction(what: string): Fault {
  return new Fault(`the manifest ${what}.`, 'Restore another snapshot ("snapshots" lists them).')
}
