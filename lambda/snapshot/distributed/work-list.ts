import { Readable } from 'node:stream'
import type { CopyTask } from '../copy-plan.ts'
import type { LargeObjectRange } from '../large-objects.ts'
import type { SnapshotObject, SnapshotPart } from '../manifest.ts'
import type { TableName } from '../scope.ts'
import type { SnapshotStore } from '../store.ts'

/** What all who take part in a distributed copy are told. Kept under the snapshot's prefix while it is in the making. */
export interface WorkList {
  readonly version: 1
  readonly encoding: string
  /** Whoever holds the view has these locked. */
  readonly tables: readonly TableName[]
  /** Known by their place in the list. */
  readonly items: readonly WorkItem[]
}

export interface WorkItem {
  /** The object to write, relative to the prefix: the same however often it is written. */
  readonly key: string
  readonly task: CopyTask
}

/** What became of an item. */
export interface WorkResult {
  readonly object: SnapshotObject
  readonly parts: readonly { readonly oid: string; readonly part: SnapshotPart }[]
  readonly largeObjects: LargeObjectRange | null
}

/** Why an item, or the view, was lost: an execution does not tell what its children failed of. */
export interface WorkFailure {
  readonly message: string
  readonly remedy: string
  /** Nobody holds the consistent view any more. */
  readonly viewLost: boolean
}

/** A session that holds the view, and until when: milliseconds since 1970. */
export interface HeldView {
  readonly slot: number
  readonly snapshotId: string
  readonly until: number
}

/** The keys of what is kept while the copy is made. */
export function workKeys(prefix: string) {
  const folder = `${prefix}/copying`
  return {
    folder: `${folder}/`,
    list: `${folder}/list.json`,
    /** The numbers of the items, for the state machine to read. */
    numbers: `${folder}/numbers.json`,
    draft: `${folder}/draft.json`,
    /** There once nobody need hold the view any more. */
    end: `${folder}/end.json`,
    views: `${folder}/views/`,
    view: (slot: number) => `${folder}/views/${slot}.json`,
    results: `${folder}/results/`,
    result: (item: number) => `${folder}/results/${item}.json`,
    /** Items whose tables somebody wants to change: only who holds the view has a lock on them. */
    refused: `${folder}/refused/`,
    refusal: (item: number) => `${folder}/refused/${item}.json`,
    failures: `${folder}/failures/`,
    failure: (name: string) => `${folder}/failures/${name}.json`,
  } as const
}

export async function writeJson(store: SnapshotStore, key: string, value: unknown): Promise<void> {
  await store.write(key, Readable.from([Buffer.from(JSON.stringify(value))], { objectMode: false }))
}

/** @throws Fault when there is no such object. */
export async function readJson<T>(store: SnapshotStore, key: string): Promise<T> {
  return JSON.parse(Buffer.concat(await (await store.read(key)).toArray()).toString('utf8')) as T
}

export async function isThere(store: SnapshotStore, key: string): Promise<boolean> {
  // Listed: without the right to list the whole bucket, S3 answers a missing object with AccessDenied.
  return (await store.list(key)).includes(key)
}

/** Numbers of the items that have an object in the folder, such as the results. */
export async function numbersIn(store: SnapshotStore, folder: string): Promise<ReadonlySet<number>> {
  const keys = await store.list(folder)
  return new Set(keys.map((key) => Number(key.slice(folder.length, -'.json'.length))))
}

/** Why a copy failed: what nobody has made up for. Null when nobody has said. */
export async function readFailure(store: SnapshotStore, prefix: string): Promise<WorkFailure | null> {
  const keys = workKeys(prefix)
  const done = await numbersIn(store, keys.results)
  const failures = (await store.list(keys.failures)).filter((key) => {
    const item = /\/copy-(\d+)\.json$/.exec(key)?.[1]
    return item === undefined || !done.has(Number(item))
  })
  const read = await Promise.all(failures.map(async (key) => readJson<WorkFailure>(store, key)))
  return read.find(({ viewLost }) => !viewLost) ?? read[0] ?? null
}
